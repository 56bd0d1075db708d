// Range reduction by powers of two, then a series short enough to be exact to the last places.
#include "common/base/exact_math.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace fed {
namespace {

constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
// ln 2 in two parts; the first has 20 trailing zero bits, so that its products with exponents are
// exact.
constexpr double kLn2High = 0x1.62e42fee00000p-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;

constexpr int kExponentBits = 52;
constexpr int kExponentBias = 1023;

double PowerOfTwo(int exponent) {
  return std::bit_cast<double>(static_cast<std::uint64_t>(exponent + kExponentBias)
                               << kExponentBits);
}

}  // namespace

double ExactLog(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)).
  const auto bits = std::bit_cast<std::uint64_t>(x);
  int exponent = static_cast<int>(bits >> kExponentBits) - kExponentBias;
  double m = x / PowerOfTwo(exponent);
  if (m > kSqrt2) {
    m *= 0.5;
    ++exponent;
  }
  // ln m = 2 atanh z, z = (m - 1) / (m + 1), |z| < 0.172: z^23 / 23 is below the last place.
  const double z = (m - 1.0) / (m + 1.0);
  const double zz = z * z;
  double sum = 0;
  for (int k = 21; k >= 3; k -= 2) sum = sum * zz + 1.0 / k;
  const double log_m = 2.0 * z + 2.0 * z * (zz * sum);
  return exponent * kLn2High + (log_m + exponent * kLn2Low);
}

double ExactExp(double x) {
  if (x < -708.0) return 0;
  if (x > 709.0) return std::numeric_limits<double>::infinity();
  // x = k ln 2 + r with |r| <= ln(2) / 2.
  const double k = std::floor(x / (kLn2High + kLn2Low) + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double sum = 1.0;  // Taylor by Horner: r^14 / 14! is below the last place.
  for (int n = 14; n >= 1; --n) sum = 1.0 + sum * r / n;
  return sum * PowerOfTwo(static_cast<int>(k));
}

}  // namespace fed
