// How long to wait before trying again.
#ifndef FED_COMMON_BASE_BACKOFF_H_
#define FED_COMMON_BASE_BACKOFF_H_

#include "absl/time/time.h"
#include "common/base/random.h"

namespace fed {

// Exponential with full jitter: the n-th wait is uniform in [d/2, d], d = min(first * 2^n,
// longest). Not thread-safe.
class Backoff {
 public:
  Backoff(absl::Duration first, absl::Duration longest, RandomStream random)
      : first_(first), longest_(longest), random_(random) {}
  absl::Duration Next();
  void Reset() { tries_ = 0; }

 private:
  absl::Duration first_, longest_;
  RandomStream random_;
  int tries_ = 0;
};

}  // namespace fed

#endif  // FED_COMMON_BASE_BACKOFF_H_
