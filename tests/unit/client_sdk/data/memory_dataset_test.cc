// Data sets over the application's own buffers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"
#include "tests/unit/client_sdk/data/dataset_files.h"

namespace fed::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;

const std::vector<float> kFeatures = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
const std::vector<float> kTargets = {0, 1, 2, 3};

TEST(MemoryDataset, GathersWhatWasAskedForInThatOrder) {
  ASSERT_OK_AND_ASSIGN(const auto data, NewMemoryDataset(kFeatures, {3, 1}, kTargets));

  EXPECT_EQ(data->size(), 4);
  EXPECT_THAT(data->example_shape(), ElementsAre(3, 1));
  EXPECT_EQ(data->target_values(), 1);
  const Gathered gathered = Gather(*data, {3, 0, 3});
  EXPECT_THAT(gathered.features, ElementsAre(10, 11, 12, 1, 2, 3, 10, 11, 12));
  EXPECT_THAT(gathered.targets, ElementsAre(3, 0, 3));
}

TEST(MemoryDataset, HasTargetsOfSeveralValues) {
  ASSERT_OK_AND_ASSIGN(const auto data, NewMemoryDataset(kFeatures, {6}, kTargets, 2));
  EXPECT_EQ(data->size(), 2);
  EXPECT_THAT(Gather(*data, {1}).targets, ElementsAre(2, 3));
}

TEST(MemoryDataset, SeesWhatTheOwnerChanges) {
  std::vector<float> features = kFeatures;
  ASSERT_OK_AND_ASSIGN(const auto data, NewMemoryDataset(features, {3}, kTargets));
  features[0] = 99;
  EXPECT_EQ(Gather(*data, {0}).features[0], 99);
}

TEST(MemoryDataset, MayBeEmpty) {
  ASSERT_OK_AND_ASSIGN(const auto data, NewMemoryDataset({}, {3}, {}));
  EXPECT_EQ(data->size(), 0);
}

TEST(MemoryDataset, RefusesSizesThatDoNotFit) {
  const auto refuses = [](const char* message) {
    return fed::testing::StatusIs(StatusCode::kInvalidArgument, Eq(message));
  };
  EXPECT_THAT(NewMemoryDataset(kFeatures, {4}, kTargets),
              refuses("12 feature values of 4 an example and 4 target values of 1 an example do "
                      "not fit"));
  EXPECT_THAT(NewMemoryDataset(kFeatures, {5}, kTargets),
              refuses("12 feature values of 5 an example and 4 target values of 1 an example do "
                      "not fit"));
  EXPECT_THAT(NewMemoryDataset(kFeatures, {3}, kTargets, 3),
              refuses("12 feature values of 3 an example and 4 target values of 3 an example do "
                      "not fit"));
  EXPECT_THAT(NewMemoryDataset(kFeatures, {3, 0}, kTargets),
              refuses("example shape [3, 0]: expected dimensions from 1 on"));
  EXPECT_THAT(NewMemoryDataset(kFeatures, {1LL << 40, 1LL << 40}, kTargets),
              refuses("example shape [1099511627776, 1099511627776]: expected dimensions from 1 "
                      "on"));
  EXPECT_THAT(NewMemoryDataset(kFeatures, {3}, kTargets, 0),
              refuses("0 target values: expected 1 or more"));
}

}  // namespace
}  // namespace fed::client
