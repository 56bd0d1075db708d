// The weighted mean: the suite of all aggregators, and its numbers to the last bit.
#include "server/aggregate/weighted_mean.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "tests/testing/aggregator_conformance.h"

namespace fed::testing {
namespace {

// As McMahan et al. write it: each weight divided first, in long double, in the opposite order.
std::vector<long double> Reference(const std::vector<MemoryUpdate>& updates) {
  long double total = 0;
  for (const MemoryUpdate& update : updates) total += update.contribution.weight;
  std::vector<long double> mean(updates.front().values.size(), 0);
  for (auto update = updates.rbegin(); update != updates.rend(); ++update) {
    for (std::size_t i = 0; i < mean.size(); ++i) {
      mean[i] += update->contribution.weight / total * update->values[i];
    }
  }
  return mean;
}

INSTANTIATE_TEST_SUITE_P(WeightedMean, AggregatorConformance,
                         ::testing::Values(AggregatorCase{server::MakeWeightedMean, Reference}));

MemoryUpdate Update(const char* client, double weight, float value) {
  MemoryUpdate update;
  update.contribution.client = ClientId{client};
  update.contribution.weight = weight;
  update.values = {value};
  return update;
}

float MeanOf(std::vector<MemoryUpdate> updates) {
  return Aggregate(MemoryTiles(std::move(updates)), server::MakeWeightedMean, 1).value()[0];
}

TEST(WeightedMeanTest, WeighsByExamples) {
  EXPECT_EQ(MeanOf({Update("a", 100, 1), Update("b", 300, 5)}), 4.0f);
  EXPECT_EQ(MeanOf({Update("a", 1, 1), Update("b", 1, 5)}), 3.0f) << "the plain mean";
  EXPECT_EQ(MeanOf({Update("a", 7, -2.5f)}), -2.5f) << "of one";
}

// In F32 the small ones would vanish beside 2^24; in F64 they count.
TEST(WeightedMeanTest, AddsInF64) {
  std::vector<MemoryUpdate> updates = {Update("a", 1, 16'777'216.0f)};
  for (const char* client : {"b", "c", "d"}) updates.push_back(Update(client, 1, 1.0f));
  EXPECT_EQ(MeanOf(updates), static_cast<float>(16'777'219.0 / 4));
}

// The mean lies half way between two floats, and goes to the even one. If each weight were divided
// by their sum, 2/10 and 7/10 would be rounded, and it would lie a little below.
TEST(WeightedMeanTest, DividesOnce) {
  const float unit = std::ldexp(1.0f, -24);
  const float rows[] = {1 + 10 * unit, 1 + 6 * unit, 1 + 8 * unit};
  const double weights[] = {2, 7, 1};
  double divided_first = 0;
  for (int k = 0; k < 3; ++k) divided_first += weights[k] / 10 * static_cast<double>(rows[k]);
  ASSERT_EQ(static_cast<float>(divided_first), 1 + 6 * unit) << "the numbers show nothing";
  EXPECT_EQ(MeanOf({Update("a", 2, rows[0]), Update("b", 7, rows[1]), Update("c", 1, rows[2])}),
            1 + 8 * unit);
}

// A fused multiply-add keeps bits of the second product that the first one lost when it was
// rounded, so that equal and opposite rows would leave a rest.
TEST(WeightedMeanTest, NeverContractsAProductIntoASum) {
  const double w = 1.0 + std::ldexp(1.0, -40);
  const float v = 1.0f + std::ldexp(1.0f, -20);
  const double product = w * static_cast<double>(v);
  ASSERT_NE(std::fma(w, static_cast<double>(v), -product), 0.0) << "the numbers show nothing";
  std::vector<MemoryUpdate> updates = {Update("a", w, v), Update("b", w, -v)};
  EXPECT_EQ(MeanOf(updates), 0.0f);
}

TEST(WeightedMeanTest, TheMeanOfTheLargestIsFinite) {
  const float largest = std::numeric_limits<float>::max();
  EXPECT_EQ(MeanOf({Update("a", 1e12, largest), Update("b", 1e12, largest)}), largest);
}

}  // namespace
}  // namespace fed::testing
