// Bounds of names and shapes.
#include "common/tensor/tensor_check.h"

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"

namespace fed {

StatusOr<std::int64_t> CheckTensor(const TensorInfo& info) {
  if (info.name.empty()) return Status(StatusCode::kInvalidArgument, "a tensor without a name");
  if (info.name.size() > static_cast<std::size_t>(kMaxNameBytes)) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("tensor name of ", info.name.size(), " bytes (",
                               info.name.substr(0, 64), "...): at most ", kMaxNameBytes));
  }
  if (info.shape.size() > static_cast<std::size_t>(kMaxRank)) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("tensor ", info.name, " has ", info.shape.size(),
                               " dimensions: at most ", kMaxRank));
  }
  auto left =
      std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(DtypeBytes(info.dtype));
  for (const std::int64_t dimension : info.shape) {
    if (dimension < 0) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("tensor ", ToString(info), " has a negative dimension"));
    }
    // Checked before a zero dimension could hide an overflow from a reader in another order.
    if (dimension > 0) left /= dimension;
    if (left == 0) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("tensor ", ToString(info), ": its size overflows 64 bits"));
    }
  }
  return info.elements() * static_cast<std::int64_t>(DtypeBytes(info.dtype));
}

}  // namespace fed
