// Positioned reads, each checked against what the codec and the receipt allow.
#include "server/ingest/spooled_update.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"

namespace fed::server {
namespace {

constexpr std::int64_t kStride = 64;  // tiles between two known offsets

template <typename... Parts>
Status Lost(const Parts&... parts) {
  return Status(StatusCode::kDataLoss, absl::StrCat(parts...));
}

}  // namespace

StatusOr<SpooledUpdate> SpooledUpdate::Open(std::unique_ptr<File> file, const Receipt& receipt,
                                            bool verify) {
  SpooledUpdate update(std::move(file), receipt.spool_offset);
  std::vector<std::uint8_t> header;
  FED_RETURN_IF_ERROR(update.ReadHeader(receipt, header));
  Hasher hasher;
  hasher.Add(header);
  FED_RETURN_IF_ERROR(update.ReadTable(receipt, hasher));
  if (const std::string digest = hasher.Finish().ToHex(); digest != receipt.digest) {
    return Lost("header and tile table have digest ", digest, ": the receipt has ", receipt.digest);
  }
  if (verify) FED_RETURN_IF_ERROR(update.VerifyTiles());
  return update;
}

Status SpooledUpdate::ReadHeader(const Receipt& receipt, std::vector<std::uint8_t>& bytes) {
  bytes.resize(kUpdatePrefixBytes);
  FED_RETURN_IF_ERROR(ReadAt(first_byte_, absl::MakeSpan(bytes)));
  const StatusOr<std::int64_t> length = UpdateHeaderBytes(bytes);
  if (!length.ok()) return Lost(length.status().message());
  bytes.resize(static_cast<std::size_t>(*length));
  FED_RETURN_IF_ERROR(ReadAt(first_byte_, absl::MakeSpan(bytes)));
  StatusOr<UpdateHeader> header = DecodeUpdateHeader(bytes);
  if (!header.ok()) return Lost(header.status().message());
  header_ = *std::move(header);
  if (header_.job != receipt.job || header_.assignment != receipt.assignment) {
    return Lost("the file holds assignment ", header_.assignment.value, " of job ",
                header_.job.value);
  }
  const StatusOr<const Codec*> codec = FindCodec(header_.codec);
  if (!codec.ok()) return Lost(codec.status().message());
  codec_ = *codec;
  table_at_ = first_byte_ + *length;
  return {};
}

// By 64 entries. The number of tiles is believed only as far as the receipt's bytes go.
Status SpooledUpdate::ReadTable(const Receipt& receipt, Hasher& hasher) {
  const std::int64_t tiles = header_.tiles();
  const std::int64_t end = first_byte_ + receipt.bytes;
  if (tiles > (end - table_at_) / kTileEntryBytes) {
    return Lost("a table of ", tiles, " tiles does not fit into ", receipt.bytes, " bytes");
  }
  std::int64_t offset = table_at_ + tiles * kTileEntryBytes;
  for (std::int64_t first = 0; first < tiles; first += kStride) {
    offsets_.push_back(offset);
    FED_ASSIGN_OR_RETURN(const std::vector<TileEntry> entries,
                         ReadEntries(first, std::min(kStride, tiles - first)));
    hasher.Add(EncodeTileTable(entries));
    for (const TileEntry& entry : entries) offset += entry.bytes;
  }
  if (offset == end) return {};
  return Lost("header, table and tiles are ", offset - first_byte_, " bytes: the receipt has ",
              receipt.bytes);
}

Status SpooledUpdate::VerifyTiles() const {
  std::vector<std::uint8_t> encoded;
  const std::int64_t tiles = header_.tiles();
  std::int64_t offset = offsets_.empty() ? 0 : offsets_.front();
  for (std::int64_t first = 0; first < tiles; first += kStride) {
    FED_ASSIGN_OR_RETURN(const std::vector<TileEntry> entries,
                         ReadEntries(first, std::min(kStride, tiles - first)));
    for (std::size_t i = 0; i < entries.size(); ++i) {
      encoded.resize(entries[i].bytes);
      FED_RETURN_IF_ERROR(ReadAt(offset, absl::MakeSpan(encoded)));
      if (Sha256(encoded) != entries[i].digest) {
        return Lost("tile ", first + static_cast<std::int64_t>(i), " does not match its digest");
      }
      offset += entries[i].bytes;
    }
  }
  return {};
}

Status SpooledUpdate::ReadTile(std::int64_t tile, absl::Span<float> out,
                               std::vector<std::uint8_t>& encoded) const {
  FED_ASSIGN_OR_RETURN(const Place place, PlaceOf(tile));
  encoded.resize(place.entry.bytes);
  FED_RETURN_IF_ERROR(ReadAt(place.offset, absl::MakeSpan(encoded)));
  const Status decoded = codec_->DecodeTile(encoded, out);
  return decoded.ok() ? Status() : Lost("tile ", tile, ": ", decoded.message());
}

StatusOr<SpooledUpdate::Place> SpooledUpdate::PlaceOf(std::int64_t tile) const {
  const std::int64_t known = tile / kStride;
  FED_ASSIGN_OR_RETURN(const std::vector<TileEntry> entries,
                       ReadEntries(known * kStride, tile % kStride + 1));
  Place place{offsets_[static_cast<std::size_t>(known)], entries.back()};
  for (std::size_t i = 0; i + 1 < entries.size(); ++i) place.offset += entries[i].bytes;
  return place;
}

StatusOr<std::vector<TileEntry>> SpooledUpdate::ReadEntries(std::int64_t first,
                                                            std::int64_t count) const {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count * kTileEntryBytes));
  FED_RETURN_IF_ERROR(ReadAt(table_at_ + first * kTileEntryBytes, absl::MakeSpan(bytes)));
  FED_ASSIGN_OR_RETURN(std::vector<TileEntry> entries, DecodeTileTable(bytes));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::int64_t tile = first + static_cast<std::int64_t>(i);
    const auto values = static_cast<std::size_t>(header_.tile_values(tile));
    if (entries[i].bytes > codec_->MaxTileBytes(values)) {
      return Lost("tile ", tile, " of ", entries[i].bytes, " bytes: codec ", codec_->name(),
                  " makes at most ", codec_->MaxTileBytes(values));
    }
  }
  return entries;
}

Status SpooledUpdate::ReadAt(std::int64_t offset, absl::Span<std::uint8_t> out) const {
  const Status status = file_->ReadAt(offset, out);
  return status.code() == StatusCode::kOutOfRange ? Lost("cut off: ", status.message()) : status;
}

}  // namespace fed::server
