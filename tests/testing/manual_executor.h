// An executor that runs nothing until a test says so, in the test's own thread.
#ifndef FED_TESTS_TESTING_MANUAL_EXECUTOR_H_
#define FED_TESTS_TESTING_MANUAL_EXECUTOR_H_

#include <deque>
#include <functional>
#include <map>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"

namespace fed::testing {

// Posting is thread-safe. The clock outlives it.
class ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(const Clock& clock) : clock_(clock) {}

  void Post(std::function<void()> task) override;
  void PostAt(absl::Time time, std::function<void()> task) override;

  // Runs the timed task that has been due longest, else the task posted first; false if there is
  // neither.
  bool RunOne();

  // Runs until nothing is due, tasks that tasks post included; returns how many ran. Ends the
  // process after a million: a loop that posts itself for ever.
  int RunUntilIdle();

  // When the next timed task is due; InfiniteFuture if none waits.
  absl::Time NextTime() const;

 private:
  const Clock& clock_;
  mutable Mutex mu_;
  std::deque<std::function<void()>> ready_ FED_GUARDED_BY(mu_);
  std::multimap<absl::Time, std::function<void()>> timed_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_MANUAL_EXECUTOR_H_
