// Our own log and exp against long double, and their bits.
#include "common/base/exact_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/base/random.h"

namespace fed {
namespace {

double UnitsInTheLastPlace(double value, long double truth) {
  const double nearest = static_cast<double>(truth);
  const double unit = std::nextafter(std::abs(nearest), std::numeric_limits<double>::infinity()) -
                      std::abs(nearest);
  return static_cast<double>(std::abs(static_cast<long double>(value) - truth)) / unit;
}

TEST(ExactMathTest, LogIsWithinFourPlacesOfTheTruth) {
  RandomStream random(1, RandomPurpose::kTest, 0);
  for (int i = 0; i < 200'000; ++i) {
    const double x =
        std::ldexp(0.5 + 0.5 * random.Uniform(), static_cast<int>(random.Below(2'000)) - 1'000);
    ASSERT_LE(UnitsInTheLastPlace(ExactLog(x), std::log(static_cast<long double>(x))), 4.0) << x;
  }
}

TEST(ExactMathTest, LogIsExactAroundOne) {
  EXPECT_EQ(ExactLog(1.0), 0.0);
  for (const double x : {1.0 + 0x1p-52, 1.0 - 0x1p-53, 1.0 + 1e-9, 1.0 - 1e-9, 1.4142, 0.7072}) {
    EXPECT_LE(UnitsInTheLastPlace(ExactLog(x), std::log(static_cast<long double>(x))), 4.0) << x;
  }
}

TEST(ExactMathTest, ExpIsWithinFourPlacesOfTheTruth) {
  RandomStream random(2, RandomPurpose::kTest, 0);
  for (int i = 0; i < 200'000; ++i) {
    const double x = 1'400.0 * random.Uniform() - 700.0;
    ASSERT_LE(UnitsInTheLastPlace(ExactExp(x), std::exp(static_cast<long double>(x))), 4.0) << x;
  }
  EXPECT_EQ(ExactExp(0.0), 1.0);
}

TEST(ExactMathTest, ExpEndsInZeroAndInfinity) {
  EXPECT_EQ(ExactExp(-709.0), 0.0);
  EXPECT_EQ(ExactExp(-std::numeric_limits<double>::infinity()), 0.0);
  EXPECT_GT(ExactExp(-708.0), 0.0);
  EXPECT_TRUE(std::isfinite(ExactExp(709.0)));
  EXPECT_EQ(ExactExp(709.1), std::numeric_limits<double>::infinity());
}

// If one of these changes, the same seed no longer gives the same first model.
TEST(ExactMathTest, HasTheseBitsForEver) {
  EXPECT_EQ(ExactLog(2.0), 0x1.62e42fefa39efp-1);
  EXPECT_EQ(ExactLog(0.1), -0x1.26bb1bbb55515p+1);
  EXPECT_EQ(ExactLog(12345.678), 0x1.2d79559791e31p+3);
  EXPECT_EQ(ExactExp(1.0), 0x1.5bf0a8b14576ap+1);
  EXPECT_EQ(ExactExp(-3.7), 0x1.9511fc6871044p-6);
  EXPECT_EQ(ExactExp(100.25), 0x1.8c39b9134bac4p+144);
}

}  // namespace
}  // namespace fed
