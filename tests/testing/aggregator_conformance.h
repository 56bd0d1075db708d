// What every aggregator must do: equal bits whatever the order of arrival, the number of threads
// and the model's size in tiles; the right numbers; and no answer from bad bytes.
//
//   INSTANTIATE_TEST_SUITE_P(WeightedMean, AggregatorConformance,
//                            ::testing::Values(AggregatorCase{MakeWeightedMean, Reference}));
#ifndef FED_TESTS_TESTING_AGGREGATOR_CONFORMANCE_H_
#define FED_TESTS_TESTING_AGGREGATOR_CONFORMANCE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/aggregate/aggregator.h"
#include "server/aggregate/tile_threads.h"
#include "tests/testing/memory_tiles.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {

struct AggregatorCase {
  server::AggregatorFactory make;
  // The aggregate of these updates, computed in another way and in long double.
  std::function<std::vector<long double>(const std::vector<MemoryUpdate>&)> reference;
  std::size_t least = 1;      // updates that the method needs
  double tolerance = 1.2e-7;  // relative to the largest magnitude of the values; F32's: 1.2e-7
};

inline std::vector<MemoryUpdate> RandomUpdates(std::size_t count, std::int64_t values) {
  std::vector<MemoryUpdate> updates(count);
  for (std::size_t k = 0; k < count; ++k) {
    RandomStream random(static_cast<std::uint64_t>(values), RandomPurpose::kTest, k);
    updates[k].contribution.client = ClientId{absl::StrCat("c", random.Below(1'000'000))};
    updates[k].contribution.assignment = AssignmentId{static_cast<std::int64_t>(k) + 1};
    updates[k].contribution.weight = static_cast<double>(1 + random.Below(700));
    for (std::int64_t i = 0; i < values; ++i) {  // magnitudes far apart: a sum depends on its order
      const double scale = std::ldexp(1.0, static_cast<int>(random.Below(40)) - 20);
      updates[k].values.push_back(static_cast<float>(random.Normal() * scale));
    }
  }
  return updates;
}

// The aggregate of all tiles, as the fold computes it.
inline StatusOr<std::vector<float>> Aggregate(const MemoryTiles& tiles,
                                              const server::AggregatorFactory& make, int threads) {
  FED_ASSIGN_OR_RETURN(const auto aggregator, make(tiles.contributions()));
  const server::TileRange all{0, tiles.tiles()};
  while (aggregator->WantsLook()) {
    std::vector<std::vector<double>> parts(static_cast<std::size_t>(tiles.tiles()));
    FED_RETURN_IF_ERROR(server::ForEachTile(all, threads, [&](int, std::int64_t t) -> Status {
      FED_ASSIGN_OR_RETURN(const auto tile, tiles.Open(t));
      FED_ASSIGN_OR_RETURN(parts[static_cast<std::size_t>(t)], aggregator->Look(*tile));
      return Status();
    }));
    for (const std::vector<double>& part : parts) aggregator->Learn(part);
    FED_RETURN_IF_ERROR(aggregator->EndLook());
  }
  std::vector<float> out(tiles.updates().front().values.size());
  FED_RETURN_IF_ERROR(server::ForEachTile(all, threads, [&](int, std::int64_t t) -> Status {
    FED_ASSIGN_OR_RETURN(const auto tile, tiles.Open(t));
    const auto first = static_cast<std::size_t>(t * kTileValues);
    return aggregator->Combine(*tile, absl::MakeSpan(out).subspan(first, tile->values()));
  }));
  return out;
}

class AggregatorConformance : public ::testing::TestWithParam<AggregatorCase> {
 protected:
  static constexpr std::int64_t kSizes[] = {1, 8'191, 8'192, 8'193, 20'000};
  std::size_t some() const { return GetParam().least + 8; }
};

TEST_P(AggregatorConformance, GivesEqualBitsWhateverTheOrderOfArrivalAndTheThreads) {
  for (const std::int64_t size : kSizes) {
    std::vector<MemoryUpdate> updates = RandomUpdates(some(), size);
    ASSERT_OK_AND_ASSIGN(const auto expected, Aggregate(MemoryTiles(updates), GetParam().make, 1));
    for (std::uint64_t arrival = 0; arrival < 3; ++arrival) {
      RandomStream(arrival, RandomPurpose::kTest, 0).Shuffle(updates);
      for (const int threads : {1, 2, 7}) {
        ASSERT_OK_AND_ASSIGN(const auto got,
                             Aggregate(MemoryTiles(updates), GetParam().make, threads));
        EXPECT_EQ(std::memcmp(got.data(), expected.data(), got.size() * sizeof(float)), 0)
            << size << " values, arrival " << arrival << ", " << threads << " threads";
      }
    }
  }
}

TEST_P(AggregatorConformance, AgreesWithAnIndependentComputation) {
  for (const std::int64_t size : kSizes) {
    for (const std::size_t count : {GetParam().least, some()}) {
      const MemoryTiles tiles(RandomUpdates(count, size));
      const std::vector<long double> expected = GetParam().reference(tiles.updates());
      ASSERT_OK_AND_ASSIGN(const auto got, Aggregate(tiles, GetParam().make, 2));
      ASSERT_EQ(got.size(), expected.size());
      for (std::size_t i = 0; i < got.size(); ++i) {
        long double largest = 0;
        for (const MemoryUpdate& update : tiles.updates()) {
          largest = std::max(largest, std::abs(static_cast<long double>(update.values[i])));
        }
        ASSERT_NEAR(got[i], expected[i], GetParam().tolerance * largest)
            << "value " << i << " of " << size << ", " << count << " updates";
      }
    }
  }
}

TEST_P(AggregatorConformance, NeedsItsLeastNumberOfUpdatesAndSaysSo) {
  std::vector<MemoryUpdate> updates = RandomUpdates(GetParam().least, 10);
  EXPECT_THAT(GetParam().make(MemoryTiles(updates).contributions()), IsOk());
  updates.pop_back();
  EXPECT_THAT(GetParam().make(MemoryTiles(updates).contributions()),
              StatusIs(StatusCode::kFailedPrecondition,
                       ::testing::HasSubstr(absl::StrCat("at least ", GetParam().least))));
}

TEST_P(AggregatorConformance, RefusesContributionsThatCannotBe) {
  using server::Contribution;
  const auto with = [&](const std::function<void(std::vector<Contribution>&)>& change) {
    std::vector<Contribution> all = MemoryTiles(RandomUpdates(some(), 10)).contributions();
    change(all);
    return GetParam().make(all).status();
  };
  const auto internal = [](const char* part) {
    return StatusIs(StatusCode::kInternal, ::testing::HasSubstr(part));
  };
  EXPECT_THAT(with([](auto& all) { std::swap(all[0], all[1]); }), internal("canonical order"));
  EXPECT_THAT(with([](auto& all) { all[1] = all[0]; }), internal("canonical order"));
  for (const double weight : {0.0, -1.0, std::nan(""), HUGE_VAL}) {
    EXPECT_THAT(with([&](auto& all) { all[1].weight = weight; }), internal("weighs"));
  }
}

TEST_P(AggregatorConformance, GivesNothingFromBadBytesAndNamesTheFirst) {
  MemoryTiles tiles(RandomUpdates(some(), 80'000));
  tiles.Corrupt(3, 7);
  tiles.Corrupt(1, 2);
  for (const int threads : {1, 2, 7}) {
    EXPECT_THAT(Aggregate(tiles, GetParam().make, threads),
                StatusIs(StatusCode::kDataLoss, "row 1, tile 2 is bad"));
  }
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(AggregatorConformance);

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_AGGREGATOR_CONFORMANCE_H_
