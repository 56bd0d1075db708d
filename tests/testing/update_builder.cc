// The format's own functions, without their checks of values.
#include "tests/testing/update_builder.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"

namespace fed::testing {
namespace {

std::vector<std::uint8_t> RawTile(const float* values, std::size_t count) {
  std::vector<std::uint8_t> bytes(count * sizeof(float));
  std::memcpy(bytes.data(), values, bytes.size());
  return bytes;
}

}  // namespace

EncodedUpdate MakeUpdate(const UpdateContents& contents) {
  UpdateHeader header;
  header.job = contents.job;
  header.assignment = contents.assignment;
  header.base = contents.base;
  header.layout = contents.layout;
  header.codec = contents.codec;
  header.scalars = contents.scalars;
  std::vector<TileEntry> table;
  std::vector<std::vector<std::uint8_t>> tiles;
  for (const auto& [name, values] : contents.groups) {
    header.groups.push_back({name, static_cast<std::int64_t>(values.size())});
    for (std::size_t at = 0; at < values.size(); at += kTileValues) {
      const std::size_t count = std::min<std::size_t>(kTileValues, values.size() - at);
      tiles.push_back(RawTile(values.data() + at, count));
      table.push_back({static_cast<std::uint32_t>(tiles.back().size()), Sha256(tiles.back())});
    }
  }
  const StatusOr<std::vector<std::uint8_t>> encoded = EncodeUpdateHeader(header);
  FED_CHECK(encoded.ok());
  return JoinUpdate(*encoded, table, tiles);
}

EncodedUpdate JoinUpdate(const std::vector<std::uint8_t>& header,
                         const std::vector<TileEntry>& table,
                         const std::vector<std::vector<std::uint8_t>>& tiles) {
  const std::vector<std::uint8_t> encoded_table = EncodeTileTable(table);
  EncodedUpdate update;
  update.header_bytes = static_cast<std::int64_t>(header.size());
  update.table_bytes = static_cast<std::int64_t>(encoded_table.size());
  update.digest = UpdateDigest(header, encoded_table);
  const auto append = [&](const std::vector<std::uint8_t>& bytes) {
    update.bytes.append(AsText(bytes).data(), bytes.size());
  };
  append(header);
  append(encoded_table);
  for (const std::vector<std::uint8_t>& tile : tiles) {
    append(tile);
    update.tile_ends.push_back(update.total_bytes());
  }
  return update;
}

std::vector<float> SomeValues(std::int64_t count, std::uint64_t seed) {
  constexpr std::uint64_t kPrime = 65'521;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint64_t mixed = (i * 40'503 + seed * 30'011) % kPrime;
    values[i] = static_cast<float>(mixed) / static_cast<float>(kPrime) - 0.5F;
  }
  return values;
}

}  // namespace fed::testing
