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
  Aggregator& aggregator;            // made from the contributions of the rows of `updates`
  const ServerOptimizer& optimizer;  // without state tensors
  const FlatLayout& layout;          // of `base`: the model's, or for another group its own file's
  const File& base;                  // the base version's file of this group
  const SafetensorsHeader& base_header;
};

// Writes all of `next`: the base's header and bytes, with the trainable values moved. Blocks.
// Threads split tiles, never updates: equal bytes whatever `threads` is. The caller syncs; after an
// error `next` holds anything, and a second call writes all of it again. Of several errors the one
// of the first tile comes out. kDataLoss: an update's bytes are bad (nothing is published then);
// kResourceExhausted, kUnavailable: the disk is full or failed, try again; kFailedPrecondition: a
// value would no longer be finite in its tensor's dtype, so that this round can never be published.
// REQUIRES: threads >= 1.
Status FoldGroup(const FoldInput& input, File& next, int threads);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_FOLD_H_
