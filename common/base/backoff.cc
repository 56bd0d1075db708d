// Exponential growth with jitter.
#include "common/base/backoff.h"

#include <algorithm>

namespace fed {

absl::Duration Backoff::Next() {
  constexpr int kMostDoublings = 40;  // beyond, `longest` has won for sure
  const double factor = static_cast<double>(std::uint64_t{1} << std::min(tries_, kMostDoublings));
  if (tries_ < kMostDoublings) ++tries_;
  const absl::Duration most = std::min(first_ * factor, longest_);
  return most * (0.5 + 0.5 * random_.Uniform());
}

}  // namespace fed
