// 16-bit floats, all of them.
#include "common/tensor/half.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace fed {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// What a 16-bit float with this many mantissa bits means, by the definition of the formats.
double Meaning(std::uint32_t bits, int mantissa_bits, int bias) {
  const int exponent = static_cast<int>(bits & 0x7FFF) >> mantissa_bits;
  const double mantissa = static_cast<double>(bits & ((1u << mantissa_bits) - 1));
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissa_bits)
                                         : std::ldexp(mantissa + std::ldexp(1.0, mantissa_bits),
                                                      exponent - bias - mantissa_bits);
  return bits & 0x8000 ? -magnitude : magnitude;
}

struct Format {
  const char* name;
  int mantissa_bits, bias;
  float (*widen)(std::uint16_t);
  std::uint16_t (*narrow)(float);
  std::uint16_t infinity;
};

class HalfTest : public ::testing::TestWithParam<Format> {};

INSTANTIATE_TEST_SUITE_P(Formats, HalfTest,
                         ::testing::Values(Format{"F16", 10, 15, HalfToFloat, FloatToHalf, 0x7C00},
                                           Format{"BF16", 7, 127, Bfloat16ToFloat, FloatToBfloat16,
                                                  0x7F80}),
                         [](const auto& about) { return std::string(about.param.name); });

TEST_P(HalfTest, WidensEachOfThemToItsMeaningAndBack) {
  const Format& format = GetParam();
  for (std::uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    const float value = format.widen(half);
    if ((bits & 0x7FFF) > format.infinity) {
      ASSERT_TRUE(std::isnan(value)) << bits;
      ASSERT_GT(format.narrow(value) & 0x7FFF, format.infinity) << "a NaN stays one";
      continue;
    }
    if ((bits & 0x7FFF) == format.infinity) {
      ASSERT_EQ(value, bits & 0x8000 ? -kInfinity : kInfinity);
    } else {
      ASSERT_EQ(value, Meaning(bits, format.mantissa_bits, format.bias)) << bits;
    }
    ASSERT_EQ(format.narrow(value), half) << bits;
  }
}

TEST_P(HalfTest, RoundsToTheNearestAndTiesToEven) {
  const Format& format = GetParam();
  for (std::uint16_t low = 0; low + 1 < format.infinity; ++low) {
    const auto high = static_cast<std::uint16_t>(low + 1);
    const double exact = (static_cast<double>(format.widen(low)) + format.widen(high)) / 2;
    const auto middle = static_cast<float>(exact);  // exact too: one more bit is needed
    ASSERT_EQ(format.narrow(middle), low % 2 == 0 ? low : high) << low;
    ASSERT_EQ(format.narrow(std::nextafter(middle, 0.0f)), low) << low;
    ASSERT_EQ(format.narrow(std::nextafter(middle, kInfinity)), high) << low;
    ASSERT_EQ(format.narrow(-middle), (low % 2 == 0 ? low : high) | 0x8000) << low;
  }
}

TEST_P(HalfTest, OverflowsToInfinity) {
  const Format& format = GetParam();
  EXPECT_EQ(format.narrow(std::numeric_limits<float>::max()), format.infinity);
  EXPECT_EQ(format.narrow(kInfinity), format.infinity);
  EXPECT_EQ(format.narrow(-kInfinity), format.infinity | 0x8000);
}

TEST(HalfEdgesTest, AreWhereTheStandardHasThem) {
  EXPECT_EQ(FloatToHalf(65'504.0f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65'519.99f), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65'520.0f), 0x7C00);
  EXPECT_EQ(FloatToHalf(0x1p-24f), 0x0001);
  EXPECT_EQ(FloatToHalf(0x1p-25f), 0x0000) << "a tie with zero";
  EXPECT_EQ(FloatToHalf(0x1.000002p-25f), 0x0001);
  EXPECT_EQ(FloatToHalf(-0.0f), 0x8000);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::denorm_min()), 0x0000);
}

TEST(TensorBytesTest, GoBothWaysForEachTrainableDtype) {
  const std::vector<float> values = {1.0f, -2.5f, 0.0f, 1.0e-3f};
  for (const Dtype dtype : {Dtype::kF32, Dtype::kF16, Dtype::kBF16}) {
    std::vector<std::uint8_t> bytes(values.size() * DtypeBytes(dtype));
    std::vector<float> back(values.size());

    NarrowToBytes(dtype, values, absl::MakeSpan(bytes));
    WidenBytes(dtype, bytes, absl::MakeSpan(back));

    EXPECT_EQ(back[0], 1.0f);
    EXPECT_EQ(back[1], -2.5f);
    EXPECT_NEAR(back[3], 1.0e-3f, 4.0e-6f);
  }
}

TEST(TensorBytesTest, AreLittleEndian) {
  std::vector<std::uint8_t> bytes(2);
  NarrowToBytes(Dtype::kBF16, {-2.0f}, absl::MakeSpan(bytes));
  EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0x00, 0xC0}));
  NarrowToBytes(Dtype::kF16, {1.5f}, absl::MakeSpan(bytes));
  EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0x00, 0x3E}));
}

}  // namespace
}  // namespace fed
