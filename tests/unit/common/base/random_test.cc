// Philox against its authors' known answers, and the distributions against their moments.
#include "common/base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

namespace fed {
namespace {

using ::testing::ElementsAre;

RandomStream TestStream(std::uint64_t index) { return {42, RandomPurpose::kTest, index}; }

// kat_vectors of Random123 1.14: counter, key, result.
TEST(PhiloxTest, GivesTheAuthorsKnownAnswers) {
  EXPECT_THAT(Philox4x32({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(
      Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
      ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(
      Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(RandomStreamTest, IsTheBlocksOfItsSeedPurposeAndIndex) {
  constexpr std::uint64_t kSeed = 0x1111222233334444;
  constexpr std::uint64_t kIndex = 0x5555666677778888;
  RandomStream stream(kSeed, RandomPurpose::kTest, kIndex);

  for (std::uint32_t block = 0; block < 3; ++block) {
    for (const std::uint32_t word :
         Philox4x32({block, 9, 0x77778888, 0x55556666}, {0x33334444, 0x11112222})) {
      EXPECT_EQ(stream.Next(), word);
    }
  }
}

TEST(RandomStreamTest, DiffersBySeedPurposeAndIndex) {
  std::set<std::uint64_t> firsts = {
      RandomStream(1, RandomPurpose::kTest, 0).Next64(),
      RandomStream(2, RandomPurpose::kTest, 0).Next64(),
      RandomStream(1, RandomPurpose::kCohort, 0).Next64(),
      RandomStream(1, RandomPurpose::kTest, 1).Next64(),
      RandomStream(1, RandomPurpose::kTest, std::uint64_t{1} << 32).Next64(),
      RandomStream(std::uint64_t{1} << 32, RandomPurpose::kTest, 0).Next64()};
  EXPECT_EQ(firsts.size(), 6u);
}

TEST(RandomStreamTest, UniformCoversTheHalfOpenInterval) {
  RandomStream stream = TestStream(0);
  constexpr int kDraws = 100'000;
  double sum = 0, least = 1, most = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.Uniform();
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    sum += u;
    least = std::min(least, u);
    most = std::max(most, u);
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_LT(least, 0.001);
  EXPECT_GT(most, 0.999);
}

TEST(RandomStreamTest, BelowIsFairForABoundThatDividesNothing) {
  RandomStream stream = TestStream(1);
  constexpr int kDraws = 70'000;
  std::vector<int> counts(7);
  for (int i = 0; i < kDraws; ++i) ++counts[stream.Below(7)];
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7, 500);
}

TEST(RandomStreamTest, BelowRejectsTheUnfairHead) {
  // With this bound a third of all 64-bit numbers is unfair: taking them modulo would give the
  // lower half of the range twice as often.
  RandomStream stream = TestStream(2);
  constexpr std::uint64_t kBound = (std::uint64_t{1} << 63) + (std::uint64_t{1} << 62);
  constexpr int kDraws = 30'000;
  int lower_third = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::uint64_t draw = stream.Below(kBound);
    ASSERT_LT(draw, kBound);
    if (draw < kBound / 3) ++lower_third;
  }
  EXPECT_NEAR(lower_third, kDraws / 3, 400);
}

TEST(RandomStreamDeathTest, BelowHasNoNumberBelowZero) {
  EXPECT_DEATH(TestStream(0).Below(0), "bound > 0");
}

TEST(RandomStreamTest, NormalIsStandardNormal) {
  RandomStream stream = TestStream(3);
  constexpr int kDraws = 200'000;
  std::vector<double> draws(kDraws);
  for (double& draw : draws) draw = stream.Normal();
  std::sort(draws.begin(), draws.end());

  const double mean = std::accumulate(draws.begin(), draws.end(), 0.0) / kDraws;
  const double square = std::inner_product(draws.begin(), draws.end(), draws.begin(), 0.0) / kDraws;
  double distance = 0;  // Kolmogorov and Smirnov's
  for (int i = 0; i < kDraws; ++i) {
    const double expected = 0.5 * std::erfc(-draws[static_cast<std::size_t>(i)] / std::sqrt(2.0));
    distance = std::max(distance, std::abs(expected - (i + 0.5) / kDraws));
  }
  EXPECT_NEAR(mean, 0.0, 0.01);
  EXPECT_NEAR(square, 1.0, 0.02);
  EXPECT_LT(distance, 1.63 / std::sqrt(kDraws)) << "99 % of all seeds are below";
}

class GammaTest : public ::testing::TestWithParam<double> {};

TEST_P(GammaTest, HasItsMeanAndVariance) {
  const double shape = GetParam();
  RandomStream stream = TestStream(4);
  constexpr int kDraws = 200'000;
  double sum = 0, squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = stream.Gamma(shape);
    ASSERT_GE(draw, 0.0);
    sum += draw;
    squares += draw * draw;
  }
  const double mean = sum / kDraws;
  EXPECT_NEAR(mean / shape, 1.0, 0.03);
  EXPECT_NEAR((squares / kDraws - mean * mean) / shape, 1.0, 0.06);
}

INSTANTIATE_TEST_SUITE_P(Shapes, GammaTest, ::testing::Values(0.1, 0.5, 1.0, 2.5, 30.0));

TEST(RandomStreamTest, ShuffleGivesEachOrderAsOften) {
  RandomStream stream = TestStream(5);
  std::map<std::vector<int>, int> counts;
  for (int i = 0; i < 24'000; ++i) {
    std::vector<int> items = {1, 2, 3, 4};
    stream.Shuffle(items);
    ++counts[items];
  }
  EXPECT_EQ(counts.size(), 24u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1'000, 150);
}

// If one of these changes, the same seed no longer gives the same run.
TEST(RandomStreamTest, HasTheseNumbersForEver) {
  RandomStream stream = TestStream(6);
  EXPECT_EQ(stream.Next64(), 0xef51d2bd996caaa2);
  EXPECT_EQ(stream.Uniform(), 0x1.50a1d8a5c18f4p-3);
  EXPECT_EQ(stream.Below(1'000), 259);
  EXPECT_EQ(stream.Normal(), 0x1.aa214144a02f3p-1);
  EXPECT_EQ(stream.Normal(), 0x1.ec163b21c9057p-6);
  EXPECT_EQ(stream.Gamma(0.5), 0x1.7351236947b58p-1);
  EXPECT_EQ(stream.Gamma(3.0), 0x1.77590ae440848p+1);
}

}  // namespace
}  // namespace fed
