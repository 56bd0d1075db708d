// A queue cranked by hand.
#include "tests/testing/manual_executor.h"

#include <utility>

#include "common/base/check.h"

namespace fed::testing {

void ManualExecutor::Post(std::function<void()> task) {
  MutexLock lock(mu_);
  ready_.push_back(std::move(task));
}

void ManualExecutor::PostAt(absl::Time time, std::function<void()> task) {
  MutexLock lock(mu_);
  timed_.emplace(time, std::move(task));
}

bool ManualExecutor::RunOne() {
  std::function<void()> task;
  {
    const absl::Time now = clock_.Now();
    MutexLock lock(mu_);
    if (!timed_.empty() && timed_.begin()->first <= now) {
      task = std::move(timed_.begin()->second);
      timed_.erase(timed_.begin());
    } else if (!ready_.empty()) {
      task = std::move(ready_.front());
      ready_.pop_front();
    }
  }
  if (!task) return false;
  task();
  return true;
}

int ManualExecutor::RunUntilIdle() {
  constexpr int kTooMany = 1'000'000;
  int ran = 0;
  while (RunOne()) FED_CHECK(++ran < kTooMany);
  return ran;
}

absl::Time ManualExecutor::NextTime() const {
  MutexLock lock(mu_);
  return timed_.empty() ? absl::InfiniteFuture() : timed_.begin()->first;
}

}  // namespace fed::testing
