// The codec "fp32": values as they are.
#ifndef FED_COMMON_CODEC_FP32_H_
#define FED_COMMON_CODEC_FP32_H_

#include "common/codec/codec.h"

namespace fed {

// A tile is its values, IEEE binary32, little-endian: 4 bytes each, exact.
class Fp32Codec final : public Codec {
 public:
  absl::string_view name() const override { return "fp32"; }
  bool unbiased() const override { return true; }
  std::size_t MaxTileBytes(std::size_t values) const override { return values * sizeof(float); }
  Status EncodeTile(absl::Span<const float> tile, RandomStream& random,
                    std::vector<std::uint8_t>& out) const override;
  Status DecodeTile(absl::Span<const std::uint8_t> bytes, absl::Span<float> out) const override;
};

}  // namespace fed

#endif  // FED_COMMON_CODEC_FP32_H_
