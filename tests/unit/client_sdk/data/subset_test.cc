// Shards of another data set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"
#include "tests/unit/client_sdk/data/dataset_files.h"

namespace fed::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;

class SubsetTest : public ::testing::Test {
 protected:
  SubsetTest() {
    for (int i = 0; i < 2000; ++i) {
      features_.push_back(static_cast<float>(i));
      targets_.push_back(static_cast<float>(i % 7));
    }
    whole_ = *NewMemoryDataset(features_, {2}, std::span(targets_).first(1000));
  }
  std::vector<float> features_, targets_;
  std::unique_ptr<Dataset> whole_;
};

TEST_F(SubsetTest, HasTheExamplesThatItNames) {
  ASSERT_OK_AND_ASSIGN(const auto subset, NewSubset(*whole_, {999, 3, 3}));

  EXPECT_EQ(subset->size(), 3);
  EXPECT_THAT(subset->example_shape(), ElementsAre(2));
  EXPECT_EQ(subset->target_values(), 1);
  const Gathered gathered = Gather(*subset, {2, 0});
  EXPECT_THAT(gathered.features, ElementsAre(6, 7, 1998, 1999));
  EXPECT_THAT(gathered.targets, ElementsAre(3, 999 % 7));
}

TEST_F(SubsetTest, GathersMoreThanItTranslatesAtOnce) {
  std::vector<std::int64_t> backwards;
  for (std::int64_t i = 999; i >= 0; --i) backwards.push_back(i);
  ASSERT_OK_AND_ASSIGN(const auto subset, NewSubset(*whole_, backwards));

  const Gathered gathered = GatherAll(*subset);

  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(gathered.features[2 * i + 1], features_[2 * (999 - i) + 1]);
    EXPECT_EQ(gathered.targets[i], targets_[999 - i]);
  }
}

TEST_F(SubsetTest, MayBeOfASubsetOrEmpty) {
  ASSERT_OK_AND_ASSIGN(const auto tens, NewSubset(*whole_, {10, 20, 30}));
  ASSERT_OK_AND_ASSIGN(const auto last, NewSubset(*tens, {2}));
  EXPECT_THAT(GatherAll(*last).features, ElementsAre(60, 61));
  ASSERT_OK_AND_ASSIGN(const auto none, NewSubset(*whole_, {}));
  EXPECT_EQ(GatherAll(*none).features.size(), 0U);
}

TEST_F(SubsetTest, RefusesIndicesOutside) {
  EXPECT_THAT(NewSubset(*whole_, {1, 1000}),
              fed::testing::StatusIs(
                  StatusCode::kInvalidArgument,
                  Eq("index 1000 at place 1 is outside of the data set of 1000 examples")));
  EXPECT_THAT(NewSubset(*whole_, {-1}), fed::testing::StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace fed::client
