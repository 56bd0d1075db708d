// Philox, and the distributions made of it.
#include "common/base/random.h"

#include <cmath>

#include "common/base/check.h"
#include "common/base/exact_math.h"

namespace fed {

PhiloxBlock Philox4x32(PhiloxBlock counter, PhiloxKey key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(b),
        static_cast<std::uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

RandomStream::RandomStream(std::uint64_t seed, RandomPurpose purpose, std::uint64_t index)
    : key_{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)},
      purpose_(static_cast<std::uint32_t>(purpose)),
      index_(index) {
  FED_CHECK(purpose_ < 1u << 16);
}

std::uint32_t RandomStream::Next() {
  if (used_ == block_.size()) {
    block_ =
        Philox4x32({static_cast<std::uint32_t>(next_block_),
                    static_cast<std::uint32_t>(next_block_ >> 32) << 16 | purpose_,
                    static_cast<std::uint32_t>(index_), static_cast<std::uint32_t>(index_ >> 32)},
                   key_);
    ++next_block_;
    used_ = 0;
  }
  return block_[used_++];
}

std::uint64_t RandomStream::Next64() {
  const std::uint64_t low = Next();
  return std::uint64_t{Next()} << 32 | low;
}

double RandomStream::Uniform() { return static_cast<double>(Next64() >> 11) * 0x1p-53; }

std::uint64_t RandomStream::Below(std::uint64_t bound) {
  FED_CHECK(bound > 0);
  // The first 2^64 mod bound numbers would make the smallest remainders likelier.
  const std::uint64_t unfair = (0 - bound) % bound;
  std::uint64_t number = Next64();
  while (number < unfair) number = Next64();
  return number % bound;
}

double RandomStream::Normal() {
  // A point in the unit circle; the method gives two numbers, of which we take one, so that the
  // stream has no hidden state.
  double x = 0, square = 0;
  do {
    x = 2.0 * Uniform() - 1.0;
    const double y = 2.0 * Uniform() - 1.0;
    square = x * x + y * y;
  } while (square >= 1.0 || square == 0.0);
  return x * std::sqrt(-2.0 * ExactLog(square) / square);
}

double RandomStream::Gamma(double shape) {
  FED_CHECK(shape > 0);
  if (shape < 1.0) {  // Gamma(shape) = Gamma(shape + 1) * U^(1 / shape)
    const double log_u = ExactLog(1.0 - Uniform());
    return Gamma(shape + 1.0) * ExactExp(log_u / shape);
  }
  const double d = shape - 1.0 / 3.0;
  const double c = 1.0 / std::sqrt(9.0 * d);
  while (true) {
    const double x = Normal();
    const double root = 1.0 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double log_u = ExactLog(1.0 - Uniform());
    if (log_u < 0.5 * x * x + d - d * v + d * ExactLog(v)) return d * v;
  }
}

}  // namespace fed
