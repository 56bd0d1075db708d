// Any bytes as an update's header: no crash, and one meaning has one form.
#include <algorithm>
#include <cstdint>

#include "common/base/check.h"
#include "common/codec/update_format.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const absl::Span<const std::uint8_t> bytes(data, size);
  const auto header = fed::DecodeUpdateHeader(bytes);
  if (!header.ok()) return 0;
  const auto encoded = fed::EncodeUpdateHeader(*header);
  FED_CHECK(encoded.ok());
  FED_CHECK(std::equal(encoded->begin(), encoded->end(), bytes.begin(), bytes.end()));
  FED_CHECK(header->tiles() >= 1);
  FED_CHECK(header->tile_values(header->tiles() - 1) >= 1);
  return 0;
}
