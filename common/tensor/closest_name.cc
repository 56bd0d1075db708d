// Edit distance over short names.
#include "common/tensor/closest_name.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace fed {
namespace {

constexpr std::size_t kLongestCompared = 64;  // beyond it a guess is no help

// Levenshtein's distance, one row at a time.
std::size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string UnknownName(absl::string_view given, absl::Span<const absl::string_view> known) {
  std::string text = absl::StrCat("'", given.substr(0, kLongestCompared),
                                  "'; known: ", absl::StrJoin(known, ", "));
  if (given.size() > kLongestCompared) return text;
  const absl::string_view* closest = nullptr;
  std::size_t closest_distance = 0;
  for (const absl::string_view& name : known) {
    const std::size_t distance = EditDistance(given, name);
    if (distance > std::max<std::size_t>(1, name.size() / 3)) continue;
    if (closest != nullptr && distance >= closest_distance) continue;
    closest = &name;
    closest_distance = distance;
  }
  if (closest != nullptr) absl::StrAppend(&text, " (did you mean '", *closest, "'?)");
  return text;
}

}  // namespace fed
