// A clock that stands still until a test moves it.
#ifndef FED_TESTS_TESTING_MANUAL_CLOCK_H_
#define FED_TESTS_TESTING_MANUAL_CLOCK_H_

#include <cstddef>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"

namespace fed::testing {

// Thread-safe. Now() and WallNow() start at the same round date and move together with Advance();
// SetWall() makes the machine's clock wrong.
class ManualClock final : public Clock {
 public:
  ManualClock() = default;
  explicit ManualClock(absl::Time start) : now_(start), wall_(start) {}

  absl::Time Now() const override;
  absl::Time WallNow() const override;

  // Wakes whoever awaits a time that has come; returns before they ran.
  void Advance(absl::Duration by);
  void SetWall(absl::Time wall);

  bool AwaitUntil(Mutex& mu, CondVar& changed, absl::FunctionRef<bool()> condition,
                  absl::Time deadline) const override FED_REQUIRES(mu);

  // Blocks until at least `count` threads sleep in AwaitUntil: what a test does before it advances,
  // instead of sleeping itself.
  void AwaitSleepers(std::size_t count) const;

 private:
  mutable Mutex mu_;
  mutable CondVar sleepers_changed_;
  absl::Time now_ FED_GUARDED_BY(mu_) = absl::FromUnixSeconds(1'800'000'000);
  absl::Time wall_ FED_GUARDED_BY(mu_) = absl::FromUnixSeconds(1'800'000'000);
  mutable std::vector<CondVar*> sleeping_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_MANUAL_CLOCK_H_
