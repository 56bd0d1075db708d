// An update as bytes: header | tile table | tile | tile | ... (FORMAT.md). Its digest is SHA-256
// over header and tile table, which names every byte of it.
#ifndef FED_COMMON_CODEC_UPDATE_FORMAT_H_
#define FED_COMMON_CODEC_UPDATE_FORMAT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/crypto/digest.h"
#include "fed/status.h"

namespace fed {

struct UpdateGroup {
  std::string name;         // "delta", "control"
  std::int64_t values = 0;  // flat; cut into tiles of kTileValues, the last one shorter
  friend bool operator==(const UpdateGroup&, const UpdateGroup&) = default;
};

struct UpdateHeader {
  JobId job;
  AssignmentId assignment;
  ModelVersion base;
  Digest layout;                          // FlatLayout::digest() of the base version
  std::string codec;                      // of every tile
  std::vector<UpdateGroup> groups;        // sorted by name, no name twice
  std::map<std::string, double> scalars;  // finite
  friend bool operator==(const UpdateHeader&, const UpdateHeader&) = default;

  std::int64_t tiles() const;                         // of all groups, in order
  std::int64_t tile_values(std::int64_t tile) const;  // of one; REQUIRES: 0 <= tile < tiles()
};

struct TileEntry {
  std::uint32_t bytes = 0;
  Digest digest;
  friend bool operator==(const TileEntry&, const TileEntry&) = default;
};
inline constexpr std::int64_t kTileEntryBytes = 36;
inline constexpr std::int64_t kUpdatePrefixBytes = 12;  // magic, format, header length

// kInvalidArgument: what would not decode again (names, counts, sizes, order, scalars not finite).
StatusOr<std::vector<std::uint8_t>> EncodeUpdateHeader(const UpdateHeader& header);

// Length of the whole header from its first kUpdatePrefixBytes. kInvalidArgument: not an update,
// another format, or above kMaxUpdateHeaderBytes.
StatusOr<std::int64_t> UpdateHeaderBytes(absl::Span<const std::uint8_t> prefix);

// `bytes` is exactly the header. kInvalidArgument with what is wrong.
StatusOr<UpdateHeader> DecodeUpdateHeader(absl::Span<const std::uint8_t> bytes);

// kTileEntryBytes each. Whether their number and sizes fit the header and its codec is for the
// reader to check. kInvalidArgument: not a multiple of kTileEntryBytes.
std::vector<std::uint8_t> EncodeTileTable(absl::Span<const TileEntry> tiles);
StatusOr<std::vector<TileEntry>> DecodeTileTable(absl::Span<const std::uint8_t> bytes);

// SHA-256(header | tile table).
Digest UpdateDigest(absl::Span<const std::uint8_t> header, absl::Span<const std::uint8_t> table);

}  // namespace fed

#endif  // FED_COMMON_CODEC_UPDATE_FORMAT_H_
