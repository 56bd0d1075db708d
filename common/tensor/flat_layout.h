// Which tensors of a model take part in averaging, and where each lies in the flat list of values
// that an update carries.
#ifndef FED_COMMON_TENSOR_FLAT_LAYOUT_H_
#define FED_COMMON_TENSOR_FLAT_LAYOUT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/limits.h"
#include "common/crypto/digest.h"
#include "common/tensor/half.h"
#include "common/tensor/safetensors.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

enum class TensorRole {
  kTrainable,  // averaged
  kFrozen,     // the base version's value, for everybody
  kLocal,      // each device keeps its own; never uploaded; versions keep the initial value
};

// Name patterns: '*' stands for any run of characters, all else for itself. A tensor is local if a
// local pattern matches, else frozen if a frozen one does or its dtype is not a trainable one, else
// trainable.
struct RolePatterns {
  std::vector<std::string> frozen;
  std::vector<std::string> local;
};
bool MatchesPattern(absl::string_view pattern, absl::string_view name);
TensorRole RoleOf(const TensorInfo& tensor, const RolePatterns& patterns);

// The trainable tensors of a model in data-offset order, laid end to end. Immutable.
class FlatLayout {
 public:
  struct Part {
    TensorInfo info;
    std::size_t tensor = 0;  // its place in the list that the layout was made from
    std::int64_t first = 0;  // its first value's place in the flat list
  };

  // kInvalidArgument: a pattern that matches no tensor (a typo), or nothing left to train.
  static StatusOr<FlatLayout> Make(absl::Span<const TensorInfo> tensors,
                                   const RolePatterns& patterns);

  absl::Span<const Part> parts() const { return parts_; }
  std::int64_t values() const { return values_; }
  std::int64_t tiles() const;  // ceil(values / kTileValues)

  // SHA-256 over (u16 name length, name, u8 dtype's place in Dtype, u8 rank, i64 dims) of each
  // part: what must be equal at both ends for flat values to mean the same.
  const Digest& digest() const { return digest_; }

  // Calls `visit(part, first value within the part, count, place in [0, count_total))` for the runs
  // of parts that [first, first + count) covers, in order.
  template <typename Visit>
  void ForEachRun(std::int64_t first, std::int64_t count, Visit visit) const;

 private:
  std::vector<Part> parts_;
  std::int64_t values_ = 0;
  Digest digest_;
};

// Flat values [first, first + out.size()) of a safetensors file with this layout, widened to F32.
// `header` is the file's; parts are found by name, and a missing name or another shape or dtype is
// kInvalidArgument. REQUIRES: the range is within the layout.
Status ReadFlat(const File& file, const SafetensorsHeader& header, const FlatLayout& layout,
                std::int64_t first, absl::Span<float> out);

// The other way: rounds to each tensor's dtype (to nearest, ties to even) and writes in place.
Status WriteFlat(File& file, const SafetensorsHeader& header, const FlatLayout& layout,
                 std::int64_t first, absl::Span<const float> values);

template <typename Visit>
void FlatLayout::ForEachRun(std::int64_t first, std::int64_t count, Visit visit) const {
  std::int64_t done = 0;
  std::size_t low = 0, high = parts_.size();
  while (low + 1 < high) {  // the last part that begins at or before `first`
    const std::size_t middle = (low + high) / 2;
    (parts_[middle].first <= first ? low : high) = middle;
  }
  for (std::size_t i = low; i < parts_.size() && done < count; ++i) {
    const Part& part = parts_[i];
    const std::int64_t within = first + done - part.first;
    const std::int64_t here = std::min(part.info.elements() - within, count - done);
    if (here <= 0) continue;
    visit(part, within, here, done);
    done += here;
  }
}

}  // namespace fed

#endif  // FED_COMMON_TENSOR_FLAT_LAYOUT_H_
