// The first pass over an update: checked tile by tile as its bytes come in.
#ifndef FED_SERVER_INGEST_UPDATE_READER_H_
#define FED_SERVER_INGEST_UPDATE_READER_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/ingest/round_gate.h"

namespace fed::server {

// What is known of the tiles checked so far: with it a resume hashes none of them again.
struct UpdateProgress {
  std::int64_t tiles = 0;
  double delta_squares = 0;  // sum over group "delta", a tile's F64 sum after the other
};

// Life: Make -> Add all bytes in order -> complete(). After an error or a broken stream: Rewind,
// then Add from checked() on. Holds the tile table and at most two tiles. Not thread-safe.
class UpdateReader {
 public:
  // Checks the announced sizes before any memory is taken by them. kInvalidArgument;
  // kFailedPrecondition: this build has no such codec.
  static StatusOr<UpdateReader> Make(UpdateTerms terms, wire::UploadBegin begin);

  // The next bytes. kInvalidArgument: they can never be an update of this assignment; the message
  // says what was expected. Until Rewind nothing more may be added then.
  Status Add(absl::Span<const std::uint8_t> bytes);

  // Takes the tiles of an earlier reader of the same update as checked. REQUIRES: header and table
  // were added, and nothing else.
  void SkipTo(const UpdateProgress& progress);

  // Forgets what lies beyond the last checked tile; before the first one: everything.
  void Rewind();

  std::int64_t offset() const { return offset_; }    // of the next byte to add
  std::int64_t checked() const { return checked_; }  // end of the last checked tile; 0: none yet
  bool complete() const { return checked_ == begin_.total_bytes && all_tiles(); }
  UpdateProgress progress() const { return {tile_, delta_squares_}; }

  // REQUIRES: complete()
  const UpdateHeader& header() const { return header_; }
  double weight() const;
  double norm() const;  // L2 of group "delta"

 private:
  UpdateReader(UpdateTerms terms, wire::UploadBegin begin, const Codec& codec);
  std::int64_t head_bytes() const { return begin_.header_bytes + begin_.table_bytes; }
  bool all_tiles() const { return tile_ == static_cast<std::int64_t>(table_.size()); }
  const TileEntry& tile() const { return table_[static_cast<std::size_t>(tile_)]; }  // the next one
  std::size_t TakeHead(absl::Span<const std::uint8_t> bytes);
  Status CheckHead();
  Status AddToTile(absl::Span<const std::uint8_t>& bytes);
  Status CheckTile(absl::Span<const std::uint8_t> bytes);
  Status CheckNorm(double norm) const;

  UpdateTerms terms_;
  wire::UploadBegin begin_;
  const Codec* codec_;
  std::vector<std::uint8_t> head_;  // until header and table are whole
  UpdateHeader header_;
  std::vector<TileEntry> table_;                   // empty until they are checked
  std::int64_t delta_first_ = 0, delta_last_ = 0;  // tiles of group "delta": [first, last)
  std::vector<std::uint8_t> part_;                 // of a tile that came in pieces
  std::vector<float> values_;                      // of the tile that is being checked
  std::int64_t offset_ = 0, checked_ = 0, tile_ = 0;
  double delta_squares_ = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_UPDATE_READER_H_
