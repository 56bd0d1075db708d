// Tiles over threads: each once, and the first error whoever was faster.
#include "server/aggregate/tile_threads.h"

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;

TEST(TileThreadsTest, DoesEachTileOfTheRangeOnce) {
  for (const int threads : {1, 2, 7}) {
    std::vector<std::atomic<int>> done(100);
    std::atomic<bool> strange = false;
    EXPECT_THAT(ForEachTile({10, 90}, threads,
                            [&](int thread, std::int64_t tile) {
                              if (thread < 0 || thread >= threads) strange = true;
                              ++done[static_cast<std::size_t>(tile)];
                              return Status();
                            }),
                IsOk());
    EXPECT_FALSE(strange);
    for (std::size_t tile = 0; tile < done.size(); ++tile) {
      EXPECT_EQ(done[tile], tile >= 10 && tile < 90 ? 1 : 0) << tile;
    }
  }
}

TEST(TileThreadsTest, AnEmptyRangeIsDone) {
  EXPECT_THAT(
      ForEachTile({5, 5}, 3,
                  [](int, std::int64_t) { return Status(StatusCode::kInternal, "was called"); }),
      IsOk());
}

TEST(TileThreadsTest, GivesTheErrorOfTheFirstTileThatFails) {
  for (int again = 0; again < 50; ++again) {
    EXPECT_THAT(ForEachTile({0, 500}, 7,
                            [](int, std::int64_t tile) {
                              if (tile < 100 || tile % 3 != 0) return Status();
                              return Status(StatusCode::kDataLoss, absl::StrCat("tile ", tile));
                            }),
                StatusIs(StatusCode::kDataLoss, "tile 102"));
  }
}

TEST(TileThreadsTest, BeginsNoTileAfterAnError) {
  std::int64_t last = -1;
  (void)ForEachTile({0, 500}, 1, [&](int, std::int64_t tile) {
    last = tile;
    return tile == 3 ? Status(StatusCode::kDataLoss, "bad") : Status();
  });
  EXPECT_EQ(last, 3);
}

}  // namespace
}  // namespace fed::server
