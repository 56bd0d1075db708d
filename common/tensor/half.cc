// Conversions bit by bit: equal everywhere, whatever instructions a CPU has for them.
#include "common/tensor/half.h"

#include <bit>
#include <cstring>

#include "common/base/check.h"

namespace fed {
namespace {

static_assert(std::endian::native == std::endian::little, "tensors are little-endian in memory");

constexpr std::uint32_t kFloatInfinity = 0x7F80'0000;
constexpr std::uint32_t kFloatAbs = 0x7FFF'FFFF;

// `bits` >> `shift`, rounded to nearest, ties to even.
std::uint32_t ShiftRounding(std::uint32_t bits, int shift) {
  const std::uint32_t half = 1u << (shift - 1);
  const std::uint32_t odd = bits >> shift & 1;
  return (bits + half - 1 + odd) >> shift;
}

template <float (*widen)(std::uint16_t)>
void WidenAll(absl::Span<const std::uint8_t> bytes, absl::Span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, sizeof(bits));
    values[i] = widen(bits);
  }
}

template <std::uint16_t (*narrow)(float)>
void NarrowAll(absl::Span<const float> values, absl::Span<std::uint8_t> bytes) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t bits = narrow(values[i]);
    std::memcpy(bytes.data() + 2 * i, &bits, sizeof(bits));
  }
}

}  // namespace

float HalfToFloat(std::uint16_t bits) {
  const std::uint32_t sign = std::uint32_t{bits} << 16 & 0x8000'0000;
  const std::uint32_t exponent = bits >> 10 & 0x1F;
  const std::uint32_t mantissa = bits & 0x3FF;
  if (exponent == 0x1F) return std::bit_cast<float>(sign | kFloatInfinity | mantissa << 13);
  if (exponent == 0) {  // zero and subnormals: mantissa * 2^-24, exact in an F32
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
  }
  return std::bit_cast<float>(sign | (exponent + 127 - 15) << 23 | mantissa << 13);
}

std::uint16_t FloatToHalf(float value) {
  constexpr std::uint32_t kQuietBit = 0x200;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000);
  const std::uint32_t magnitude = bits & kFloatAbs;
  std::uint32_t half = 0;
  if (magnitude > kFloatInfinity) {
    half = 0x7C00 | kQuietBit | (magnitude >> 13 & 0x3FF);
  } else if (magnitude >= 0x477F'F000) {  // 65,520 and above round to infinity
    half = 0x7C00;
  } else if (magnitude >= 0x3880'0000) {  // 2^-14 and above: normal
    half = ShiftRounding(magnitude - ((127u - 15u) << 23), 13);
  } else if (magnitude >= 0x3300'0000) {  // 2^-25 and above: subnormal, or rounds to one or to zero
    const int exponent = static_cast<int>(magnitude >> 23);
    const std::uint32_t significand = (magnitude & 0x007F'FFFF) | 0x0080'0000;
    half = ShiftRounding(significand, 126 - exponent);
  }
  return static_cast<std::uint16_t>(sign | half);
}

float Bfloat16ToFloat(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

std::uint16_t FloatToBfloat16(float value) {
  constexpr std::uint32_t kQuietBit = 0x40;
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if ((bits & kFloatAbs) > kFloatInfinity) {
    return static_cast<std::uint16_t>(bits >> 16 | kQuietBit);
  }
  return static_cast<std::uint16_t>(ShiftRounding(bits, 16));
}

void WidenBytes(Dtype dtype, absl::Span<const std::uint8_t> bytes, absl::Span<float> values) {
  FED_CHECK(IsTrainableDtype(dtype) && bytes.size() == values.size() * DtypeBytes(dtype));
  if (values.empty()) return;
  if (dtype == Dtype::kF32) {
    std::memcpy(values.data(), bytes.data(), bytes.size());
  } else if (dtype == Dtype::kF16) {
    WidenAll<HalfToFloat>(bytes, values);
  } else {
    WidenAll<Bfloat16ToFloat>(bytes, values);
  }
}

void NarrowToBytes(Dtype dtype, absl::Span<const float> values, absl::Span<std::uint8_t> bytes) {
  FED_CHECK(IsTrainableDtype(dtype) && bytes.size() == values.size() * DtypeBytes(dtype));
  if (values.empty()) return;
  if (dtype == Dtype::kF32) {
    std::memcpy(bytes.data(), values.data(), bytes.size());
  } else if (dtype == Dtype::kF16) {
    NarrowAll<FloatToHalf>(values, bytes);
  } else {
    NarrowAll<FloatToBfloat16>(values, bytes);
  }
}

}  // namespace fed
