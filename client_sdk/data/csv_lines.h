// The lines of a CSV file, cut into cells.
#ifndef FED_CLIENT_SDK_DATA_CSV_LINES_H_
#define FED_CLIENT_SDK_DATA_CSV_LINES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "client_sdk/data/gz_file.h"
#include "fed/status.h"

namespace fed::client {

inline constexpr std::size_t kMaxCsvLineBytes = 16 << 20;

// Order of calls: Open; Next until false; cells and Where speak of the last line. Lines end with
// \n or \r\n; empty ones are skipped. A cell may stand in double quotes, and have the separator and
// doubled quotes in it, but no end of line. Memory: one line. Not thread-safe.
class CsvLines final {
 public:
  static StatusOr<CsvLines> Open(const std::string& path, char separator);

  // False at the end. kInvalidArgument: a quote without its end, a line above kMaxCsvLineBytes;
  // else as GzFile::Read.
  StatusOr<bool> Next();

  const std::vector<std::string>& cells() const { return cells_; }
  std::string Where() const;  // "data.csv:12"

 private:
  CsvLines(GzFile file, char separator);
  StatusOr<bool> ReadLine();
  Status Split();

  GzFile file_;
  char separator_;
  std::int64_t number_ = 0;
  std::string line_;
  std::vector<std::string> cells_;
  std::vector<std::uint8_t> piece_;  // read, not yet cut
  std::size_t at_ = 0, end_ = 0;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_DATA_CSV_LINES_H_
