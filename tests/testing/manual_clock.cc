// How waiters sleep on a clock that a test moves.
#include "tests/testing/manual_clock.h"

#include <algorithm>

namespace fed::testing {
namespace {

// Both locks as one, so that there is no moment between reading the time and sleeping in which an
// Advance() could go unnoticed.
struct BothLocks {
  void lock() FED_ATTRIBUTE_(no_thread_safety_analysis) {
    waiter.lock();
    clock.lock();
  }
  void unlock() FED_ATTRIBUTE_(no_thread_safety_analysis) {
    clock.unlock();
    waiter.unlock();
  }
  Mutex& waiter;
  Mutex& clock;
};

}  // namespace

absl::Time ManualClock::Now() const {
  MutexLock lock(mu_);
  return now_;
}

absl::Time ManualClock::WallNow() const {
  MutexLock lock(mu_);
  return wall_;
}

void ManualClock::Advance(absl::Duration by) {
  MutexLock lock(mu_);
  now_ += by;
  wall_ += by;
  for (CondVar* changed : sleeping_) changed->notify_all();
}

void ManualClock::SetWall(absl::Time wall) {
  MutexLock lock(mu_);
  wall_ = wall;
}

bool ManualClock::AwaitUntil(Mutex& mu, CondVar& changed, absl::FunctionRef<bool()> condition,
                             absl::Time deadline) const {
  BothLocks both{mu, mu_};
  while (!condition()) {
    MutexLock lock(mu_);
    if (now_ >= deadline) return false;
    sleeping_.push_back(&changed);
    sleepers_changed_.notify_all();
    changed.wait(both);
    sleeping_.erase(std::find(sleeping_.begin(), sleeping_.end(), &changed));
  }
  return true;
}

void ManualClock::AwaitSleepers(std::size_t count) const {
  MutexLock lock(mu_);
  while (sleeping_.size() < count) sleepers_changed_.wait(mu_);
}

}  // namespace fed::testing
