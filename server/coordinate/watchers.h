// Who looks on at a job, and is told of each change.
#ifndef FED_SERVER_COORDINATE_WATCHERS_H_
#define FED_SERVER_COORDINATE_WATCHERS_H_

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "server/coordinate/coordinator.h"

namespace fed::server {

// Thread-safe. A watch may be dropped at any time, also after the watchers themselves.
class Watchers {
 public:
  using Changed = std::function<void(const Coordinator::Change&)>;

  // `executor` outlives it.
  explicit Watchers(Executor& executor)
      : executor_(executor), shared_(std::make_shared<Shared>()) {}

  std::unique_ptr<Coordinator::Watch> Add(const JobId& job, Changed changed);

  // Tells them, on the executor.
  void Tell(const Coordinator::Change& change);

 private:
  struct Shared {
    Mutex mu;
    std::int64_t last FED_GUARDED_BY(mu) = 0;
    std::map<JobId, std::map<std::int64_t, std::shared_ptr<const Changed>>> of FED_GUARDED_BY(mu);
  };
  class Handle;

  Executor& executor_;
  std::shared_ptr<Shared> shared_;  // with the handles, which may live longer
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_WATCHERS_H_
