// Waits that double, jittered.
#include "common/base/backoff.h"

#include <gtest/gtest.h>

namespace fed {
namespace {

Backoff MakeBackoff(std::uint64_t seed) {
  return {absl::Seconds(1), absl::Seconds(20), RandomStream(seed, RandomPurpose::kBackoff, 0)};
}

TEST(BackoffTest, DoublesUpToTheLongestWait) {
  Backoff backoff = MakeBackoff(1);
  for (const int most : {1, 2, 4, 8, 16, 20, 20, 20}) {
    const absl::Duration wait = backoff.Next();
    EXPECT_GE(wait, absl::Seconds(most) / 2);
    EXPECT_LE(wait, absl::Seconds(most));
  }
}

TEST(BackoffTest, BeginsAnewAfterAReset) {
  Backoff backoff = MakeBackoff(2);
  for (int i = 0; i < 6; ++i) backoff.Next();

  backoff.Reset();

  EXPECT_LE(backoff.Next(), absl::Seconds(1));
}

TEST(BackoffTest, NeverOverflows) {
  Backoff backoff = MakeBackoff(3);
  for (int i = 0; i < 1'000; ++i) ASSERT_LE(backoff.Next(), absl::Seconds(20));
}

TEST(BackoffTest, SpreadsTwoClientsThatFailedTogether) {
  EXPECT_NE(MakeBackoff(4).Next(), MakeBackoff(5).Next());
}

}  // namespace
}  // namespace fed
