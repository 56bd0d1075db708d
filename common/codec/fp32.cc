// Copies, and the search for what is not finite.
#include "common/codec/fp32.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace fed {
namespace {

static_assert(std::endian::native == std::endian::little, "tiles are little-endian in memory");

// The place of the first value that is not finite, or values.size().
std::size_t FindNotFinite(absl::Span<const float> values) {
  constexpr std::uint32_t kExponent = 0x7F80'0000;
  bool all_finite = true;  // without a branch in the loop, so that it is vectorized
  for (const float value : values) {
    all_finite &= (std::bit_cast<std::uint32_t>(value) & kExponent) != kExponent;
  }
  if (all_finite) return values.size();
  return static_cast<std::size_t>(std::find_if(values.begin(), values.end(),
                                               [](float value) { return !std::isfinite(value); }) -
                                  values.begin());
}

}  // namespace

Status Fp32Codec::EncodeTile(absl::Span<const float> tile, RandomStream&,
                             std::vector<std::uint8_t>& out) const {
  if (const std::size_t place = FindNotFinite(tile); place < tile.size()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("value ", place, " of the tile is ", tile[place]));
  }
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(tile.data());
  out.insert(out.end(), bytes, bytes + tile.size() * sizeof(float));
  return {};
}

Status Fp32Codec::DecodeTile(absl::Span<const std::uint8_t> bytes, absl::Span<float> out) const {
  if (bytes.size() != out.size() * sizeof(float)) {
    return Status(StatusCode::kDataLoss,
                  absl::StrCat("fp32 tile of ", bytes.size(), " bytes: expected ",
                               out.size() * sizeof(float), " (", out.size(), " floats)"));
  }
  if (!bytes.empty()) std::memcpy(out.data(), bytes.data(), bytes.size());
  if (const std::size_t place = FindNotFinite(out); place < out.size()) {
    return Status(StatusCode::kDataLoss,
                  absl::StrCat("value ", place, " of the fp32 tile is ", out[place]));
  }
  return {};
}

}  // namespace fed
