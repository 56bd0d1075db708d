// The machine's clock.
#include "common/base/clock.h"

#include <time.h>

#include <algorithm>
#include <chrono>

#include "absl/time/clock.h"

namespace fed {
namespace {

absl::Duration SinceBoot() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return absl::DurationFromTimespec(now);
}

class RealClock final : public Clock {
 public:
  absl::Time Now() const override { return start_ + (SinceBoot() - boot_at_start_); }
  absl::Time WallNow() const override { return absl::Now(); }

  bool AwaitUntil(Mutex& mu, CondVar& changed, absl::FunctionRef<bool()> condition,
                  absl::Time deadline) const override FED_REQUIRES(mu) {
    // Condition variables sleep on CLOCK_MONOTONIC, which stands still while the machine is
    // suspended: look at our own clock now and then, so that a deadline that passed in the meantime
    // is noticed soon after waking up.
    constexpr absl::Duration kLongestNap = absl::Seconds(10);
    while (!condition()) {
      const absl::Duration left = deadline - Now();
      if (left <= absl::ZeroDuration()) return false;
      if (left == absl::InfiniteDuration()) {
        changed.wait(mu);
      } else {
        changed.wait_for(mu, absl::ToChronoNanoseconds(std::min(left, kLongestNap)));
      }
    }
    return true;
  }

 private:
  const absl::Time start_ = absl::Now();
  const absl::Duration boot_at_start_ = SinceBoot();
};

}  // namespace

Clock& Clock::Real() {
  static RealClock real;
  return real;
}

}  // namespace fed
