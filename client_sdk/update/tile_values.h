// The flat values of one group of an update, tile by tile.
#ifndef FED_CLIENT_SDK_UPDATE_TILE_VALUES_H_
#define FED_CLIENT_SDK_UPDATE_TILE_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/tensor/flat_layout.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed::client {

// Borrows all it is made from.
class TileValues {
 public:
  // trained - base. kInvalidArgument unless `trained` has exactly base's tensors.
  static StatusOr<TileValues> Delta(const FlatLayout& layout, const Parameters& base,
                                    const Parameters& trained);
  // The values as they are. kInvalidArgument unless each trainable tensor is there in its shape.
  static StatusOr<TileValues> Group(const FlatLayout& layout, const std::string& name,
                                    const Parameters& values);

  // Fills `out` with flat values from `first` on. kInvalidArgument names the tensor and element of
  // one that is not finite.
  Status Fill(std::int64_t first, absl::Span<float> out) const;

 private:
  TileValues(const FlatLayout& layout, const Parameters* base, const Parameters& values)
      : layout_(layout), base_(base), values_(values) {}
  Status NotFinite(std::int64_t place, float value) const;

  const FlatLayout& layout_;
  const Parameters* base_;  // null: nothing is subtracted
  const Parameters& values_;
  std::vector<std::size_t> places_;  // in values_, of each part of the layout
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_UPDATE_TILE_VALUES_H_
