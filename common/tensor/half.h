// The 16-bit floats F16 (IEEE binary16) and BF16 (the upper half of an F32), and whole tensors of
// them as bytes.
#ifndef FED_COMMON_TENSOR_HALF_H_
#define FED_COMMON_TENSOR_HALF_H_

#include <cstdint>

#include "absl/types/span.h"
#include "fed/parameters.h"

namespace fed {

// Widening is exact. Narrowing rounds to nearest, ties to even; beyond the largest finite value it
// gives infinity. A NaN stays a NaN.
float HalfToFloat(std::uint16_t bits);
std::uint16_t FloatToHalf(float value);
float Bfloat16ToFloat(std::uint16_t bits);
std::uint16_t FloatToBfloat16(float value);

// Between the little-endian bytes of a trainable dtype and floats.
// REQUIRES: bytes.size() == values.size() * DtypeBytes(dtype), IsTrainableDtype(dtype)
void WidenBytes(Dtype dtype, absl::Span<const std::uint8_t> bytes, absl::Span<float> values);
void NarrowToBytes(Dtype dtype, absl::Span<const float> values, absl::Span<std::uint8_t> bytes);

}  // namespace fed

#endif  // FED_COMMON_TENSOR_HALF_H_
