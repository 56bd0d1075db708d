// toml++ behind our own errors: nothing of it throws past here.
#include "server/round/toml_table.h"

#include <algorithm>
#include <cmath>

#include "common/tensor/closest_name.h"

namespace fed::server {
namespace {

absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

StatusOr<toml::table> ParseToml(absl::string_view text, absl::string_view source) {
  try {
    return toml::parse(std::string_view(text.data(), text.size()));
  } catch (const toml::parse_error& error) {
    return TomlError(source, error.source().begin.line, View(error.description()));
  }
}

Status TomlError(absl::string_view source, std::int64_t line, absl::string_view what) {
  const std::string where = line > 0 ? absl::StrCat(source, ":", line) : std::string(source);
  return Status(StatusCode::kInvalidArgument, absl::StrCat(where, ": ", what));
}

std::int64_t LineOf(const toml::node& node) { return node.source().begin.line; }

std::string InSection(absl::string_view section) {
  return section.empty() ? std::string() : absl::StrCat(" in [", section, "]");
}

std::vector<std::pair<absl::string_view, const toml::node*>> InOrder(const toml::table& table) {
  std::vector<std::pair<absl::string_view, const toml::node*>> entries;
  for (const auto& [key, node] : table) entries.emplace_back(View(key.str()), &node);
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return LineOf(*a.second) < LineOf(*b.second);
  });
  return entries;
}

Status UnknownTomlKey(const TomlPlace& place, absl::string_view key, const toml::node& node,
                      absl::Span<const absl::string_view> known) {
  const absl::string_view kind = node.is_table() || node.is_array_of_tables() ? "section" : "key";
  return TomlError(
      place.source, LineOf(node),
      absl::StrCat("unknown ", kind, InSection(place.section), " ", UnknownName(key, known)));
}

bool ReadText(const toml::node& node, std::string& out) {
  const auto text = node.value_exact<std::string>();
  if (!text || text->empty()) return false;
  out = *text;
  return true;
}

bool ReadTexts(const toml::node& node, std::vector<std::string>& out) {
  const toml::array* array = node.as_array();
  if (array == nullptr) return false;
  std::vector<std::string> texts(array->size());
  for (std::size_t i = 0; i < array->size(); ++i) {
    if (!ReadText((*array)[i], texts[i])) return false;
  }
  out = std::move(texts);
  return true;
}

bool ReadReal(const toml::node& node, double lowest, double highest, double& out) {
  if (!node.is_number()) return false;
  const double number = node.value<double>().value_or(std::nan(""));
  if (!(number >= lowest && number <= highest)) return false;  // NaN, too
  out = number;
  return true;
}

bool ReadDuration(const toml::node& node, absl::Duration shortest, absl::Duration longest,
                  absl::Duration& out) {
  std::string text;
  absl::Duration duration;
  if (!ReadText(node, text) || !absl::ParseDuration(text, &duration)) return false;
  if (duration < shortest || duration > longest) return false;
  out = duration;
  return true;
}

}  // namespace fed::server
