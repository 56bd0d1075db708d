// An Executor over k threads.
#ifndef FED_COMMON_BASE_THREAD_POOL_H_
#define FED_COMMON_BASE_THREAD_POOL_H_

#include <functional>
#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/executor.h"

namespace fed {

// Runs posted tasks in order of posting, timed ones when their time has come. Its destructor lets
// running tasks end, drops those that wait, and joins.
class ThreadPool final : public Executor {
 public:
  // `name` is given to the threads (at most 11 characters are kept). REQUIRES: threads >= 1.
  ThreadPool(const std::string& name, int threads, const Clock& clock);
  ~ThreadPool() override;

  void Post(std::function<void()> task) override;
  void PostAt(absl::Time time, std::function<void()> task) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace fed

#endif  // FED_COMMON_BASE_THREAD_POOL_H_
