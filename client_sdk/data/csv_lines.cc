// Cuts pieces of the file into lines, and lines into cells.
#include "client_sdk/data/csv_lines.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fed::client {
namespace {

constexpr std::size_t kPieceBytes = 64 << 10;

}  // namespace

StatusOr<CsvLines> CsvLines::Open(const std::string& path, char separator) {
  FED_ASSIGN_OR_RETURN(GzFile file, GzFile::Open(path));
  return CsvLines(std::move(file), separator);
}

CsvLines::CsvLines(GzFile file, char separator)
    : file_(std::move(file)), separator_(separator), piece_(kPieceBytes) {}

StatusOr<bool> CsvLines::Next() {
  do {
    FED_ASSIGN_OR_RETURN(const bool there, ReadLine());
    if (!there) return false;
  } while (line_.empty());
  FED_RETURN_IF_ERROR(Split());
  return true;
}

std::string CsvLines::Where() const { return absl::StrCat(file_.path(), ":", number_); }

// The next line without its end into line_; false if the file ended before it.
StatusOr<bool> CsvLines::ReadLine() {
  line_.clear();
  bool any = false;
  for (;;) {
    if (at_ == end_) {
      FED_ASSIGN_OR_RETURN(end_, file_.Read(absl::MakeSpan(piece_)));
      at_ = 0;
      if (end_ == 0) break;
    }
    if (!any) ++number_;
    any = true;
    const auto begin = piece_.begin() + static_cast<std::ptrdiff_t>(at_);
    const auto stop = piece_.begin() + static_cast<std::ptrdiff_t>(end_);
    const auto newline = std::find(begin, stop, '\n');
    line_.append(begin, newline);
    if (line_.size() > kMaxCsvLineBytes) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat(Where(), ": a line of more than ", kMaxCsvLineBytes, " bytes"));
    }
    at_ = static_cast<std::size_t>(newline - piece_.begin());
    if (newline == stop) continue;
    ++at_;
    break;
  }
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return any;
}

Status CsvLines::Split() {
  std::size_t count = 0;
  bool quoted = false;
  std::string* cell = nullptr;
  const auto begin_cell = [&] {
    if (count == cells_.size()) cells_.emplace_back();
    cell = &cells_[count++];
    cell->clear();
  };
  begin_cell();
  for (std::size_t i = 0; i < line_.size(); ++i) {
    const char c = line_[i];
    if (c == '"' && quoted && i + 1 < line_.size() && line_[i + 1] == '"') {
      cell->push_back(line_[++i]);
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator_ && !quoted) {
      begin_cell();
    } else {
      cell->push_back(c);
    }
  }
  cells_.resize(count);
  if (!quoted) return Status();
  return Status(StatusCode::kInvalidArgument, absl::StrCat(Where(), ": a quote without its end"));
}

}  // namespace fed::client
