// One line per event, key=value: round.closed round=7 updates=12 took_ms=5310.
#ifndef FED_COMMON_BASE_LOG_H_
#define FED_COMMON_BASE_LOG_H_

#include <functional>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace fed {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// key and value of one field. Never a parameter value, an example, a key or a token.
struct LogField {
  LogField(absl::string_view k, const absl::AlphaNum& v) : key(k), value(v.Piece()) {}
  std::string key;
  std::string value;  // quoted when it has a space, a quote or a control character
};

// Thread-safe if its sink is. Passed by reference; outlives whoever holds it.
class Log {
 public:
  using Sink = std::function<void(LogLevel, absl::string_view line)>;
  explicit Log(Sink sink, LogLevel least = LogLevel::kInfo)
      : sink_(std::move(sink)), least_(least) {}

  void Debug(absl::string_view event, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kDebug, event, fields);
  }
  void Info(absl::string_view event, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kInfo, event, fields);
  }
  void Warn(absl::string_view event, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kWarn, event, fields);
  }
  void Error(absl::string_view event, std::initializer_list<LogField> fields = {}) const {
    Write(LogLevel::kError, event, fields);
  }

  // Drops everything: for tests and for callers that gave no sink.
  static const Log& Null();

 private:
  void Write(LogLevel level, absl::string_view event, std::initializer_list<LogField> fields) const;

  Sink sink_;
  LogLevel least_;
};

// What stands in a log for a client: the first 8 characters of its id.
absl::string_view ShortId(absl::string_view client_id);

}  // namespace fed

#endif  // FED_COMMON_BASE_LOG_H_
