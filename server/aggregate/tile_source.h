// Where the fold reads accepted updates from; server/ingest implements it over the spool.
#ifndef FED_SERVER_AGGREGATE_TILE_SOURCE_H_
#define FED_SERVER_AGGREGATE_TILE_SOURCE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "fed/status.h"
#include "server/aggregate/aggregator.h"

namespace fed::server {

// One group of the updates of one round, rows in canonical order. Thread-safe: each thread opens
// its own tiles.
class TileSource {
 public:
  virtual ~TileSource() = default;
  virtual std::int64_t tiles() const = 0;
  // One tile of every update. kDataLoss: bytes on disk do not match their digest.
  virtual StatusOr<std::unique_ptr<Tile>> Open(std::int64_t tile) const = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_TILE_SOURCE_H_
