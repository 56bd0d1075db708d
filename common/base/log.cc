// Formatting of log lines.
#include "common/base/log.h"

#include <algorithm>

#include "absl/strings/escaping.h"

namespace fed {
namespace {

bool NeedsQuotes(absl::string_view value) {
  return value.empty() || std::any_of(value.begin(), value.end(), [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return u <= ' ' || u == '"' || u == '\\' || u == 0x7F;
         });
}

}  // namespace

const Log& Log::Null() {
  static const Log null(nullptr);
  return null;
}

void Log::Write(LogLevel level, absl::string_view event,
                std::initializer_list<LogField> fields) const {
  if (!sink_ || level < least_) return;
  std::string line(event);
  for (const LogField& field : fields) {
    if (NeedsQuotes(field.value)) {
      // Escaped, so that a value from outside can neither end the line nor forge a field.
      absl::StrAppend(&line, " ", field.key, "=\"", absl::Utf8SafeCEscape(field.value), "\"");
    } else {
      absl::StrAppend(&line, " ", field.key, "=", field.value);
    }
  }
  sink_(level, line);
}

absl::string_view ShortId(absl::string_view client_id) { return client_id.substr(0, 8); }

}  // namespace fed
