// Tables, cells and JSON.
#include "server/cli/output.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "google/protobuf/util/json_util.h"

namespace fed::server {
namespace {

// UTF-8: every byte but those that go on with a character begins one.
bool BeginsCharacter(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

std::size_t Characters(absl::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), BeginsCharacter));
}

// Bytes of the first `most` characters.
std::size_t BytesOf(absl::string_view text, std::size_t most) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (BeginsCharacter(text[at]) && most-- == 0) break;
  }
  return at;
}

}  // namespace

Table::Table(std::vector<std::string> columns) {
  for (std::string& name : columns) {
    const bool right = !name.empty() && name.front() == '>';
    columns_.push_back({right ? name.substr(1) : std::move(name), right});
  }
}

void Table::AddRow(std::vector<std::string> cells) {
  for (std::string& cell : cells) {
    std::replace_if(cell.begin(), cell.end(), absl::ascii_iscntrl, '?');
  }
  rows_.push_back(std::move(cells));
}

std::string Table::Text() const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    widths.push_back(Characters(columns_[c].name));
    for (const auto& row : rows_) widths[c] = std::max(widths[c], Characters(row[c]));
  }
  std::string text;
  const auto add = [&](std::size_t c, const std::string& cell) {
    const std::string gap(widths[c] - Characters(cell), ' ');
    const bool last = c + 1 == columns_.size();
    absl::StrAppend(&text, columns_[c].right ? gap : "", cell, columns_[c].right || last ? "" : gap,
                    last ? "\n" : "  ");
  };
  for (std::size_t c = 0; c < columns_.size(); ++c) add(c, columns_[c].name);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < columns_.size(); ++c) add(c, row[c]);
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void Output::Print(absl::string_view text) const {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fputc('\n', stdout);
  std::fflush(stdout);
}

void Output::PrintJson(const google::protobuf::Message& message) const {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string text;
  if (google::protobuf::util::MessageToJsonString(message, &text, options).ok()) Print(text);
}

std::string MetricCell(const google::protobuf::Map<std::string, double>& metrics,
                       const std::string& name, const char* format) {
  const auto metric = metrics.find(name);
  if (metric == metrics.end()) return "-";
  const auto parsed = absl::ParsedFormat<'f'>::New(format);
  return parsed != nullptr ? absl::StrFormat(*parsed, metric->second)
                           : absl::StrCat(metric->second);
}

std::string MegabytesCell(double bytes) { return absl::StrFormat("%.1f", bytes / 1e6); }

std::string AgeCell(std::int64_t unix_ms, absl::Time now) {
  if (unix_ms == 0) return "-";
  const absl::Duration age = std::max(absl::ZeroDuration(), now - absl::FromUnixMillis(unix_ms));
  if (age < absl::Minutes(1)) return absl::StrCat(absl::ToInt64Seconds(age), "s");
  if (age < absl::Hours(1)) return absl::StrCat(absl::ToInt64Minutes(age), "m");
  if (age < absl::Hours(48)) return absl::StrCat(absl::ToInt64Hours(age), "h");
  return absl::StrCat(absl::ToInt64Hours(age) / 24, "d");
}

std::string ShortCell(absl::string_view text, std::size_t most) {
  if (Characters(text) <= most) return std::string(text);
  return absl::StrCat(text.substr(0, BytesOf(text, most - 3)), "...");
}

}  // namespace fed::server
