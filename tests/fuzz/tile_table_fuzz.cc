// Any bytes as a tile table, and as a tile of each codec: no crash, and encoding undoes decoding.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "common/base/check.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"

namespace {

void DecodeAsTile(absl::Span<const std::uint8_t> bytes, std::size_t values) {
  const fed::Codec& codec = **fed::FindCodec("fp32");
  std::vector<float> tile(values);
  if (!codec.DecodeTile(bytes, absl::MakeSpan(tile)).ok()) return;
  FED_CHECK(bytes.size() <= codec.MaxTileBytes(values));
  FED_CHECK(std::all_of(tile.begin(), tile.end(), [](float v) { return std::isfinite(v); }));
  fed::RandomStream random(1, fed::RandomPurpose::kTest, 0);
  std::vector<std::uint8_t> encoded;
  FED_CHECK(codec.EncodeTile(tile, random, encoded).ok());
  FED_CHECK(std::equal(encoded.begin(), encoded.end(), bytes.begin(), bytes.end()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::Span<const std::uint8_t> bytes(data, size);
  const auto table = fed::DecodeTileTable(bytes);
  if (table.ok()) {
    const std::vector<std::uint8_t> encoded = fed::EncodeTileTable(*table);
    FED_CHECK(std::equal(encoded.begin(), encoded.end(), bytes.begin(), bytes.end()));
  }
  DecodeAsTile(bytes, size / sizeof(float));
  DecodeAsTile(bytes, size);
  return 0;
}
