// Rare labels repeated.
#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "examples/sim_clients/partition.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::examples {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Examples 0 to 9 have label 0, 10 to 13 label 1, 14 label 2; 15 to 19 are another client's.
std::vector<std::int64_t> Labels() {
  std::vector<std::int64_t> labels(20, 0);
  std::fill(labels.begin() + 10, labels.begin() + 14, 1);
  labels[14] = 2;
  std::fill(labels.begin() + 15, labels.end(), 1);
  return labels;
}
const std::vector<std::int64_t> kOwn = {14, 3, 11, 0, 13, 1, 2, 12, 10, 9, 8, 7, 6, 5, 4};

TEST(EvenOutTest, MakesEveryLabelAsFrequentAsTheMostFrequent) {
  const std::vector<std::int64_t> labels = Labels();
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    std::map<std::int64_t, int> counts;
    for (const std::int64_t example : EvenOut(labels, kOwn, seed, 0)) {
      ++counts[labels[static_cast<std::size_t>(example)]];
    }
    EXPECT_EQ(counts, (std::map<std::int64_t, int>{{0, 10}, {1, 10}, {2, 10}}));
  }
}

TEST(EvenOutTest, KeepsTheOriginalsAndAddsTheClientsOwnOnly) {
  const std::set<std::int64_t> own(kOwn.begin(), kOwn.end());
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::vector<std::int64_t> even = EvenOut(Labels(), kOwn, seed, 0);
    ASSERT_GE(even.size(), kOwn.size());
    EXPECT_TRUE(std::equal(kOwn.begin(), kOwn.end(), even.begin()));
    for (const std::int64_t example : even) EXPECT_TRUE(own.contains(example)) << example;
  }
}

TEST(EvenOutTest, RepeatsAtRandomBySeedAndClient) {
  const std::vector<std::int64_t> even = EvenOut(Labels(), kOwn, 1, 2);
  EXPECT_EQ(EvenOut(Labels(), kOwn, 1, 2), even);
  EXPECT_NE(EvenOut(Labels(), kOwn, 2, 2), even);
  EXPECT_NE(EvenOut(Labels(), kOwn, 1, 3), even);
}

TEST(EvenOutTest, LeavesEvenLabelsAndNothingAsTheyAre) {
  EXPECT_THAT(EvenOut(Labels(), {0, 10, 14}, 1, 0), ElementsAre(0, 10, 14));
  EXPECT_THAT(EvenOut(Labels(), {5, 3}, 1, 0), ElementsAre(5, 3)) << "of one label";
  EXPECT_THAT(EvenOut(Labels(), {}, 1, 0), IsEmpty());
}

}  // namespace
}  // namespace fed::examples
