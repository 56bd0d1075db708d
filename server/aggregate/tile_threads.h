// Runs one body for each tile on a few threads.
#ifndef FED_SERVER_AGGREGATE_TILE_THREADS_H_
#define FED_SERVER_AGGREGATE_TILE_THREADS_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "fed/status.h"

namespace fed::server {

// [first, last).
struct TileRange {
  std::int64_t first = 0, last = 0;
};

// Calls `body(thread, tile)` for each tile of the range, on `threads` threads, of which the
// caller's is one; thread is in [0, threads). Returns once all have ended. After an error no later
// tile is begun; of several errors the first tile's comes out, so that it does not depend on who
// was faster. REQUIRES: threads >= 1.
Status ForEachTile(TileRange range, int threads,
                   absl::FunctionRef<Status(int thread, std::int64_t tile)> body);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_TILE_THREADS_H_
