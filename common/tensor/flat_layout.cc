// Roles by patterns, and values by their place in the flat list.
#include "common/tensor/flat_layout.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/tensor/tensor_check.h"

namespace fed {
namespace {

bool MatchesAny(const std::vector<std::string>& patterns, absl::string_view name) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [&](const std::string& pattern) { return MatchesPattern(pattern, name); });
}

Status CheckPatternsMatch(absl::Span<const TensorInfo> tensors, absl::string_view role,
                          const std::vector<std::string>& patterns) {
  for (const std::string& pattern : patterns) {
    if (std::none_of(tensors.begin(), tensors.end(), [&](const TensorInfo& tensor) {
          return MatchesPattern(pattern, tensor.name);
        })) {
      return Status(
          StatusCode::kInvalidArgument,
          absl::StrCat(role, " pattern \"", pattern, "\" matches no tensor of the model"));
    }
  }
  return {};
}

Digest DigestOf(absl::Span<const FlatLayout::Part> parts) {
  std::vector<std::uint8_t> bytes;
  ByteWriter writer(bytes);
  for (const FlatLayout::Part& part : parts) {
    writer.ShortText(part.info.name);
    writer.U8(static_cast<std::uint8_t>(part.info.dtype));
    writer.U8(static_cast<std::uint8_t>(part.info.shape.size()));
    for (const std::int64_t dimension : part.info.shape) writer.I64(dimension);
  }
  return Sha256(bytes);
}

// The file's entry for a part. Files of one job have their tensors in one order, so that the place
// in the layout's list is nearly always the place in the file.
StatusOr<const SafetensorsHeader::Entry*> EntryOf(const SafetensorsHeader& header,
                                                  const FlatLayout::Part& part) {
  const std::vector<SafetensorsHeader::Entry>& entries = header.entries;
  if (part.tensor < entries.size() && entries[part.tensor].info == part.info) {
    return &entries[part.tensor];
  }
  const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& entry) {
    return entry.info.name == part.info.name;
  });
  if (found == entries.end()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("the file has no tensor ", ToString(part.info)));
  }
  if (!(found->info == part.info)) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("the file has tensor ", ToString(found->info), ": expected ",
                               ToString(part.info)));
  }
  return &*found;
}

// Calls transfer(byte offset in the file, dtype, first place in the caller's values, count) for
// each run; stops at the first error.
template <typename Transfer>
Status ForEachFileRun(const SafetensorsHeader& header, const FlatLayout& layout, std::int64_t first,
                      std::int64_t count, Transfer transfer) {
  FED_CHECK(first >= 0 && count >= 0 && first <= layout.values() - count);
  Status status;
  layout.ForEachRun(first, count,
                    [&](const FlatLayout::Part& part, std::int64_t within, std::int64_t here,
                        std::int64_t place) {
                      if (!status.ok()) return;
                      const auto entry = EntryOf(header, part);
                      if (!entry.ok()) {
                        status = entry.status();
                        return;
                      }
                      const auto width = static_cast<std::int64_t>(DtypeBytes(part.info.dtype));
                      status =
                          transfer((*entry)->offset + within * width, part.info.dtype,
                                   static_cast<std::size_t>(place), static_cast<std::size_t>(here));
                    });
  return status;
}

}  // namespace

bool MatchesPattern(absl::string_view pattern, absl::string_view name) {
  std::size_t p = 0, n = 0;
  std::size_t star = absl::string_view::npos, star_end = 0;  // the last '*', where its run ends
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_end = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != absl::string_view::npos) {
      p = star + 1;
      n = ++star_end;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == absl::string_view::npos;
}

TensorRole RoleOf(const TensorInfo& tensor, const RolePatterns& patterns) {
  if (MatchesAny(patterns.local, tensor.name)) return TensorRole::kLocal;
  if (MatchesAny(patterns.frozen, tensor.name) || !IsTrainableDtype(tensor.dtype)) {
    return TensorRole::kFrozen;
  }
  return TensorRole::kTrainable;
}

StatusOr<FlatLayout> FlatLayout::Make(absl::Span<const TensorInfo> tensors,
                                      const RolePatterns& patterns) {
  FED_RETURN_IF_ERROR(CheckPatternsMatch(tensors, "frozen", patterns.frozen));
  FED_RETURN_IF_ERROR(CheckPatternsMatch(tensors, "local", patterns.local));
  FlatLayout layout;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    FED_ASSIGN_OR_RETURN(const std::int64_t bytes, CheckTensor(tensors[i]));
    if (RoleOf(tensors[i], patterns) != TensorRole::kTrainable) continue;
    // Widened to F32, all values together must still be countable in bytes.
    constexpr auto kMostValues = std::numeric_limits<std::int64_t>::max() / 8;
    if (bytes / 2 > kMostValues - layout.values_) {
      return Status(StatusCode::kInvalidArgument, "the tensors' size overflows 64 bits");
    }
    layout.parts_.push_back({tensors[i], i, layout.values_});
    layout.values_ += tensors[i].elements();
  }
  if (layout.values_ == 0) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("nothing to train: none of the model's ", tensors.size(),
                               " tensors is a float that is neither frozen nor local"));
  }
  layout.digest_ = DigestOf(layout.parts_);
  return layout;
}

std::int64_t FlatLayout::tiles() const { return (values_ + kTileValues - 1) / kTileValues; }

Status ReadFlat(const File& file, const SafetensorsHeader& header, const FlatLayout& layout,
                std::int64_t first, absl::Span<float> out) {
  std::vector<std::uint8_t> bytes;
  return ForEachFileRun(
      header, layout, first, static_cast<std::int64_t>(out.size()),
      [&](std::int64_t offset, Dtype dtype, std::size_t place, std::size_t count) -> Status {
        bytes.resize(count * DtypeBytes(dtype));
        FED_RETURN_IF_ERROR(file.ReadAt(offset, absl::MakeSpan(bytes)));
        WidenBytes(dtype, bytes, out.subspan(place, count));
        return {};
      });
}

Status WriteFlat(File& file, const SafetensorsHeader& header, const FlatLayout& layout,
                 std::int64_t first, absl::Span<const float> values) {
  std::vector<std::uint8_t> bytes;
  return ForEachFileRun(
      header, layout, first, static_cast<std::int64_t>(values.size()),
      [&](std::int64_t offset, Dtype dtype, std::size_t place, std::size_t count) -> Status {
        bytes.resize(count * DtypeBytes(dtype));
        NarrowToBytes(dtype, values.subspan(place, count), absl::MakeSpan(bytes));
        return file.WriteAt(offset, bytes);
      });
}

}  // namespace fed
