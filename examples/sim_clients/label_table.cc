// Counts labels.
#include "examples/sim_clients/label_table.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace fed::examples {

std::string LabelTable(absl::Span<const std::int64_t> labels,
                       const std::vector<std::vector<std::int64_t>>& parts, std::size_t most_rows) {
  const std::int64_t classes =
      labels.empty() ? 0 : *std::max_element(labels.begin(), labels.end()) + 1;
  std::string text = "client  examples";
  for (std::int64_t label = 0; label < classes; ++label) absl::StrAppendFormat(&text, "%6d", label);
  text += "\n";
  for (std::size_t c = 0; c < std::min(parts.size(), most_rows); ++c) {
    std::vector<int> counts(static_cast<std::size_t>(classes));
    for (const std::int64_t example : parts[c]) {
      ++counts[static_cast<std::size_t>(labels[static_cast<std::size_t>(example)])];
    }
    absl::StrAppendFormat(&text, "%6d  %8d", c, parts[c].size());
    for (const int count : counts) {
      absl::StrAppend(&text, count == 0 ? "     ." : absl::StrFormat("%6d", count));
    }
    text += "\n";
  }
  if (parts.size() > most_rows) {
    absl::StrAppend(&text, "... and ", parts.size() - most_rows, " more clients\n");
  }
  const auto [smallest, largest] = std::minmax_element(
      parts.begin(), parts.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  absl::StrAppend(&text, "smallest client ", smallest->size(), " examples, largest ",
                  largest->size(), "\n");
  return text;
}

}  // namespace fed::examples
