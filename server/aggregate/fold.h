// The second pass: one group of the accepted updates becomes the next version's file, tile by tile.
#ifndef FED_SERVER_AGGREGATE_FOLD_H_
#define FED_SERVER_AGGREGATE_FOLD_H_

#include "common/base/file.h"
#include "common/tensor/flat_layout.h"
#include "common/tensor/safetensors.h"
#include "fed/status.h"
#include "server/aggregate/aggregator.h"
#include "server/aggregate/tile_source.h"

namespace fed::server {

struct FoldInput {
  const TileSource& updates;
  Aggregator& aggregator;
  const ServerOptimizer& optimizer;
  const FlatLayout& layout;
  const File& base;                       // the base version's file of this group
  const SafetensorsHeader& base_header;
};

// Writes all of `next`: the base's header and bytes, with the trainable values moved. Threads split
// tiles, never updates: equal bytes whatever `threads` is. The caller syncs. kDataLoss: an update's
// bytes are bad (nothing is published then); kResourceExhausted: the disk is full, try again.
Status Fold(const FoldInput& input, File& next, int threads);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_FOLD_H_
