// One accepted update in the spool, read tile by tile.
#ifndef FED_SERVER_INGEST_SPOOLED_UPDATE_H_
#define FED_SERVER_INGEST_SPOOLED_UPDATE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"
#include "common/crypto/digest.h"
#include "fed/status.h"
#include "server/store/records.h"

namespace fed::server {

// Holds the header and every 64th tile's place, not the table: a round's tables together can be
// large. Its const methods are thread-safe. Moves.
class SpooledUpdate {
 public:
  // Reads header and table and compares them with the receipt's digest and size. `verify`: every
  // tile's digest, too. kDataLoss with what is wrong; kUnavailable: the disk failed, try again.
  static StatusOr<SpooledUpdate> Open(std::unique_ptr<File> file, const Receipt& receipt,
                                      bool verify);

  const UpdateHeader& header() const { return header_; }

  // Decodes one tile into all of `out`; `encoded` is scratch. The same errors. REQUIRES: 0 <= tile
  // < header().tiles() and out.size() == header().tile_values(tile)
  Status ReadTile(std::int64_t tile, absl::Span<float> out,
                  std::vector<std::uint8_t>& encoded) const;

 private:
  struct Place {
    std::int64_t offset = 0;  // in the file
    TileEntry entry;
  };

  SpooledUpdate(std::unique_ptr<File> file, std::int64_t first_byte)
      : file_(std::move(file)), first_byte_(first_byte) {}
  Status ReadHeader(const Receipt& receipt, std::vector<std::uint8_t>& bytes);
  Status ReadTable(const Receipt& receipt, Hasher& hasher);
  Status VerifyTiles() const;
  StatusOr<Place> PlaceOf(std::int64_t tile) const;
  StatusOr<std::vector<TileEntry>> ReadEntries(std::int64_t first, std::int64_t count) const;
  Status ReadAt(std::int64_t offset, absl::Span<std::uint8_t> out) const;

  std::unique_ptr<File> file_;
  std::int64_t first_byte_;  // of the update in its file
  std::int64_t table_at_ = 0;
  UpdateHeader header_;
  const Codec* codec_ = nullptr;       // of the whole process
  std::vector<std::int64_t> offsets_;  // in the file, of every 64th tile
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_SPOOLED_UPDATE_H_
