// How fedctl shows things: aligned tables for people, JSON for programs.
#ifndef FED_SERVER_CLI_OUTPUT_H_
#define FED_SERVER_CLI_OUTPUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"

namespace fed::server {

// Columns as wide as their widest cell; numbers to the right. Control characters are shown as '?':
// devices choose their own names, and no name may steer the operator's terminal.
class Table {
 public:
  // A name that begins with '>' is a column of numbers.
  explicit Table(std::vector<std::string> columns);
  void AddRow(std::vector<std::string> cells);  // REQUIRES: as many as columns
  std::string Text() const;

 private:
  struct Column {
    std::string name;
    bool right = false;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

class Output {
 public:
  bool json = false;

  void Print(absl::string_view text) const;  // to stdout, with a line end
  // Protobuf's JSON, field names as in the .proto.
  void PrintJson(const google::protobuf::Message& message) const;
};

// Cells. A metric that is not there is "-".
std::string MetricCell(const google::protobuf::Map<std::string, double>& metrics,
                       const std::string& name, const char* format);
std::string MegabytesCell(double bytes);                    // "47.8"
std::string AgeCell(std::int64_t unix_ms, absl::Time now);  // "3m", "2h", "-" for 0
// At most `most` characters of UTF-8, cut with "...". REQUIRES: most >= 3.
std::string ShortCell(absl::string_view text, std::size_t most);

}  // namespace fed::server

#endif  // FED_SERVER_CLI_OUTPUT_H_
