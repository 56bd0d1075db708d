// Sections of a TOML file, each described by one list of keys: what is read, what is refused and
// what a test finds documented can't drift apart.
#ifndef FED_SERVER_ROUND_TOML_TABLE_H_
#define FED_SERVER_ROUND_TOML_TABLE_H_

#include <toml++/toml.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "fed/status.h"

namespace fed::server {

// Where a table stands, for messages.
struct TomlPlace {
  absl::string_view source;   // "job.toml"
  absl::string_view section;  // "rounds"; empty: the top of the file
};

// One key of a section that is read into a T.
template <typename T>
struct TomlKey {
  absl::string_view name;
  std::string expected;                             // "a whole number from 1 to 100"
  std::function<bool(const toml::node&, T&)> read;  // false: it is not what is expected
};

// kInvalidArgument: "job.toml:12: no '=' after key ..." and the like.
StatusOr<toml::table> ParseToml(absl::string_view text, absl::string_view source);

// "job.toml:12: <what>", as kInvalidArgument. Line 0: without one.
Status TomlError(absl::string_view source, std::int64_t line, absl::string_view what);
std::int64_t LineOf(const toml::node& node);
std::string InSection(absl::string_view section);  // " in [rounds]"; "" at the top

// The entries of a table by line, so that the first mistake is the first that is named.
std::vector<std::pair<absl::string_view, const toml::node*>> InOrder(const toml::table& table);
Status UnknownTomlKey(const TomlPlace& place, absl::string_view key, const toml::node& node,
                      absl::Span<const absl::string_view> known);

bool ReadText(const toml::node& node, std::string& out);  // not empty
bool ReadTexts(const toml::node& node, std::vector<std::string>& out);
bool ReadReal(const toml::node& node, double lowest, double highest, double& out);
bool ReadDuration(const toml::node& node, absl::Duration shortest, absl::Duration longest,
                  absl::Duration& out);  // "500ms", "15s", "1h30m"

template <typename T, typename N>
TomlKey<T> WholeNumber(absl::string_view name, N T::*member, N lowest, N highest) {
  const auto read = [=](const toml::node& node, T& out) {
    const auto number = node.value_exact<std::int64_t>();
    if (!number || *number < 0) return false;
    const auto given = static_cast<std::uint64_t>(*number);
    if (given < static_cast<std::uint64_t>(lowest)) return false;
    if (given > static_cast<std::uint64_t>(highest)) return false;
    out.*member = static_cast<N>(given);
    return true;
  };
  return {name, absl::StrCat("a whole number from ", lowest, " to ", highest), read};
}

template <typename T>
TomlKey<T> Seed(absl::string_view name, std::uint64_t T::*member) {
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();  // TOML's
  return WholeNumber<T, std::uint64_t>(name, member, 0, kLargest);
}

template <typename T>
TomlKey<T> Real(absl::string_view name, double T::*member, double lowest, double highest) {
  return {
      name, absl::StrCat("a number from ", lowest, " to ", highest),
      [=](const toml::node& node, T& out) { return ReadReal(node, lowest, highest, out.*member); }};
}

template <typename T>
TomlKey<T> Duration(absl::string_view name, absl::Duration T::*member, absl::Duration shortest,
                    absl::Duration longest) {
  return {name,
          absl::StrCat("a duration in quotes, as \"90s\" or \"1h30m\", from ",
                       absl::FormatDuration(shortest), " to ", absl::FormatDuration(longest)),
          [=](const toml::node& node, T& out) {
            return ReadDuration(node, shortest, longest, out.*member);
          }};
}

template <typename T>
TomlKey<T> Text(absl::string_view name, std::string T::*member) {
  return {name, "a text in quotes, not empty",
          [=](const toml::node& node, T& out) { return ReadText(node, out.*member); }};
}

template <typename T>
TomlKey<T> Texts(absl::string_view name, std::vector<std::string> T::*member) {
  return {name, "a list of texts, none of them empty",
          [=](const toml::node& node, T& out) { return ReadTexts(node, out.*member); }};
}

// Reads what the section has into `out`. Keys in `elsewhere` are known and left alone: they are
// read by someone else.
template <typename T>
Status ReadSection(const toml::table& table, const TomlPlace& place,
                   absl::Span<const TomlKey<T>> keys, T& out,
                   absl::Span<const absl::string_view> elsewhere = {}) {
  std::vector<absl::string_view> known;
  for (const TomlKey<T>& key : keys) known.push_back(key.name);
  known.insert(known.end(), elsewhere.begin(), elsewhere.end());
  for (const auto& entry : InOrder(table)) {
    const toml::node& node = *entry.second;
    std::size_t i = 0;
    while (i < known.size() && known[i] != entry.first) ++i;
    if (i == known.size()) return UnknownTomlKey(place, entry.first, node, known);
    if (i >= keys.size() || keys[i].read(node, out)) continue;
    return TomlError(place.source, LineOf(node),
                     absl::StrCat("'", entry.first, "'", InSection(place.section), " must be ",
                                  keys[i].expected));
  }
  return Status();
}

}  // namespace fed::server

#endif  // FED_SERVER_ROUND_TOML_TABLE_H_
