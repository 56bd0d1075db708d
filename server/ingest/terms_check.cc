// Comparisons, each with a message that says what was expected.
#include "server/ingest/terms_check.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/limits.h"

namespace fed::server {
namespace {

template <typename... Parts>
Status Invalid(const Parts&... parts) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat(parts...));
}

std::string WithCommas(std::int64_t number) {
  std::string text = absl::StrCat(number);
  const std::ptrdiff_t first = number < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > first; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string NamesOf(const std::vector<UpdateGroup>& groups) {
  return absl::StrJoin(groups, ", ", [](std::string* out, const UpdateGroup& group) {
    absl::StrAppend(out, "'", group.name, "'");
  });
}

Status CheckGroups(const std::vector<UpdateGroup>& groups,
                   const std::vector<UpdateGroup>& expected) {
  const auto same_name = [](const UpdateGroup& a, const UpdateGroup& b) {
    return a.name == b.name;
  };
  if (!std::equal(groups.begin(), groups.end(), expected.begin(), expected.end(), same_name)) {
    return Invalid("update has groups ", NamesOf(groups), ": the job takes ", NamesOf(expected));
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups[i].values == expected[i].values) continue;
    return Invalid("group '", groups[i].name, "' has ", WithCommas(groups[i].values),
                   " values: the job's model has ", WithCommas(expected[i].values),
                   " trainable ones");
  }
  return {};
}

Status CheckScalars(const UpdateHeader& header, const UpdateTerms& terms) {
  for (const auto& [name, value] : header.scalars) {
    if (!std::isfinite(value)) return Invalid("scalar '", name, "' is not finite");
    if (name == terms.weight_scalar || terms.scalars.contains(name)) continue;
    return Invalid("scalar '", name, "' is not taken: the job takes ",
                   absl::StrJoin(terms.scalars, ", "));
  }
  if (terms.weight_scalar.empty()) return {};
  const auto weight = header.scalars.find(terms.weight_scalar);
  if (weight == header.scalars.end()) {
    return Invalid("update has no scalar '", terms.weight_scalar, "', which weighs it");
  }
  if (weight->second > 0 && weight->second <= terms.max_weight) return {};
  return Invalid("scalar '", terms.weight_scalar, "' is ", weight->second,
                 ": expected more than 0 and at most ", terms.max_weight);
}

}  // namespace

Status CheckAnnounced(const wire::UploadBegin& begin, const UpdateTerms& terms,
                      const Codec& codec) {
  if (begin.header_bytes < kUpdatePrefixBytes || begin.header_bytes > kMaxUpdateHeaderBytes) {
    return Invalid("header of ", begin.header_bytes, " bytes: expected ", kUpdatePrefixBytes,
                   " to ", WithCommas(kMaxUpdateHeaderBytes));
  }
  UpdateHeader expected;
  expected.groups = terms.groups;
  const std::int64_t tiles = expected.tiles();
  if (begin.table_bytes != tiles * kTileEntryBytes) {
    return Invalid("tile table of ", begin.table_bytes, " bytes: expected ",
                   tiles * kTileEntryBytes, " (", tiles, " tiles)");
  }
  const std::int64_t least = begin.header_bytes + begin.table_bytes;
  const std::int64_t most =
      least + tiles * static_cast<std::int64_t>(codec.MaxTileBytes(kTileValues));
  if (begin.total_bytes < least || begin.total_bytes > most) {
    return Invalid("update of ", begin.total_bytes, " bytes: expected ", least, " to ", most, " (",
                   tiles, " tiles of codec ", codec.name(), ")");
  }
  return {};
}

Status CheckHeader(const UpdateHeader& header, const wire::AssignmentRef& ref,
                   const UpdateTerms& terms) {
  if (header.job != ref.job || header.assignment != ref.assignment) {
    return Invalid("update is of job ", header.job.value, " assignment ", header.assignment.value,
                   ": expected job ", ref.job.value, " assignment ", ref.assignment.value);
  }
  if (header.base != terms.base) {
    return Invalid("update is based on version ", header.base.value, ": expected ",
                   terms.base.value);
  }
  if (header.codec != terms.codec) {
    return Invalid("update is encoded as '", header.codec, "': expected '", terms.codec, "'");
  }
  FED_RETURN_IF_ERROR(CheckGroups(header.groups, terms.groups));
  if (header.layout != terms.layout) {
    return Invalid("update has layout ", header.layout.ToHex(), ": version ", terms.base.value,
                   " has ", terms.layout.ToHex(), " (same number of values, other tensors)");
  }
  return CheckScalars(header, terms);
}

Status CheckTable(absl::Span<const TileEntry> table, const UpdateHeader& header,
                  const wire::UploadBegin& begin, const Codec& codec) {
  // Cannot overflow: there are as many tiles as the job implies, each below 4 GiB.
  std::int64_t total = begin.header_bytes + begin.table_bytes;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const auto values = static_cast<std::size_t>(header.tile_values(static_cast<std::int64_t>(i)));
    const std::size_t most = codec.MaxTileBytes(values);
    if (table[i].bytes > most) {
      return Invalid("tile ", i, " has ", table[i].bytes, " bytes: codec ", codec.name(),
                     " takes at most ", most, " for ", values, " values");
    }
    total += table[i].bytes;
  }
  if (total == begin.total_bytes) return {};
  return Invalid("header, table and tiles are ", total, " bytes: ", begin.total_bytes,
                 " were announced");
}

double WeightOf(const UpdateHeader& header, const UpdateTerms& terms) {
  return terms.weight_scalar.empty() ? 1 : header.scalars.at(terms.weight_scalar);
}

}  // namespace fed::server
