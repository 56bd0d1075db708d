// Where work runs: a pool of threads in production, a hand-cranked queue in tests.
#ifndef FED_COMMON_BASE_EXECUTOR_H_
#define FED_COMMON_BASE_EXECUTOR_H_

#include <functional>

#include "absl/time/time.h"

namespace fed {

// Thread-safe. A task must not throw.
class Executor {
 public:
  virtual ~Executor() = default;
  virtual void Post(std::function<void()> task) = 0;
  // Not before `time` on the executor's clock. Tasks still waiting when it is destroyed are
  // dropped.
  virtual void PostAt(absl::Time time, std::function<void()> task) = 0;
};

}  // namespace fed

#endif  // FED_COMMON_BASE_EXECUTOR_H_
