// Threads take the next tile from one counter.
#include "server/aggregate/tile_threads.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/mutex.h"

namespace fed::server {
namespace {

class TileQueue {
 public:
  explicit TileQueue(TileRange range) : next_(range.first), last_(range.last) {}

  // False: none is left.
  bool Take(std::int64_t& tile) {
    const MutexLock lock(mu_);
    if (next_ >= last_) return false;
    tile = next_++;
    return true;
  }

  // Every tile before a failed one has been taken, so the first failure is always seen.
  void Fail(std::int64_t tile, Status status) {
    const MutexLock lock(mu_);
    if (first_.ok() || tile < failed_) {
      first_ = std::move(status);
      failed_ = tile;
    }
    last_ = std::min(last_, failed_);
  }

  Status first_failure() {
    const MutexLock lock(mu_);
    return first_;
  }

 private:
  Mutex mu_;
  std::int64_t next_ FED_GUARDED_BY(mu_);
  std::int64_t last_ FED_GUARDED_BY(mu_);
  std::int64_t failed_ FED_GUARDED_BY(mu_) = 0;
  Status first_ FED_GUARDED_BY(mu_);
};

}  // namespace

Status ForEachTile(TileRange range, int threads,
                   absl::FunctionRef<Status(int thread, std::int64_t tile)> body) {
  FED_CHECK(threads >= 1);
  TileQueue queue(range);
  const auto work = [&](int thread) {
    std::int64_t tile = 0;
    while (queue.Take(tile)) {
      if (Status status = body(thread, tile); !status.ok()) queue.Fail(tile, std::move(status));
    }
  };
  const auto busy = std::min<std::int64_t>(threads, range.last - range.first);
  std::vector<std::thread> others;
  try {
    for (int thread = 1; thread < busy; ++thread) others.emplace_back(work, thread);
  } catch (const std::system_error&) {
    // The machine gives no more threads: those there are do all of the work.
  }
  work(0);
  for (std::thread& other : others) other.join();
  return queue.first_failure();
}

}  // namespace fed::server
