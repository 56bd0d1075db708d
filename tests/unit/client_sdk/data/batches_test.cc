// Batches: every example once an epoch, in an order of the seed and the epoch alone.
#include "client_sdk/data/batches.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace fed::client {
namespace {

using Indices = std::vector<std::int64_t>;

Indices Epoch(Batches& batches) {
  Indices all;
  for (std::int64_t i = 0; i < batches.batches_per_epoch(); ++i) {
    const auto batch = batches.Next();
    all.insert(all.end(), batch.begin(), batch.end());
  }
  return all;
}

Indices Sorted(Indices indices) {
  std::sort(indices.begin(), indices.end());
  return indices;
}

Indices Counted(std::int64_t n) {
  Indices indices(static_cast<std::size_t>(n));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

TEST(Batches, HaveEachExampleOnceAnEpochInAnOrderOfItsOwn) {
  Batches batches(1, 25, 10);
  const Indices first = Epoch(batches), second = Epoch(batches);
  EXPECT_EQ(Sorted(first), Counted(25));
  EXPECT_EQ(Sorted(second), Counted(25));
  EXPECT_NE(first, second);
  EXPECT_NE(first, Counted(25));
}

TEST(Batches, AreSmallerAtTheEndOfAnEpoch) {
  Batches batches(1, 25, 10);
  EXPECT_EQ(batches.batches_per_epoch(), 3);
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 6; ++i) sizes.push_back(batches.Next().size());
  EXPECT_THAT(sizes, ::testing::ElementsAre(10, 10, 5, 10, 10, 5));
}

TEST(Batches, AreEqualForEqualSeeds) {
  Batches one(7, 40, 8), same(7, 40, 8), other(8, 40, 8);
  const Indices order = Epoch(one);
  EXPECT_EQ(order, Epoch(same));
  EXPECT_NE(order, Epoch(other));
}

TEST(Batches, DependOnTheEpochNotOnTheBatchSize) {
  Batches small(7, 40, 3), large(7, 40, 40);
  EXPECT_EQ(Epoch(small), Epoch(large));
  EXPECT_EQ(Epoch(small), Epoch(large));
}

TEST(Batches, OfSizeZeroOrMoreThanAllAreAll) {
  EXPECT_EQ(Batches(1, 25, 0).batch_size(), 25);
  EXPECT_EQ(Batches(1, 25, 26).batch_size(), 25);
  EXPECT_EQ(Batches(1, 25, 26).batches_per_epoch(), 1);
}

}  // namespace
}  // namespace fed::client
