// What every part of this room needs: the parts below it, the pool, and whether it still works.
#ifndef FED_SERVER_COORDINATE_CONTEXT_H_
#define FED_SERVER_COORDINATE_CONTEXT_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "server/coordinate/blob_sweeper.h"
#include "server/coordinate/coordinator.h"
#include "server/coordinate/pool.h"
#include "server/coordinate/watchers.h"

namespace fed::server {

// Thread-safe. Shared by the coordinator, its jobs and their tasks on the executors, some of which
// may run after the coordinator has gone.
class Context {
 public:
  Context(Coordinator::Parts parts, Coordinator::Options options);

  Coordinator::Parts parts;
  const Coordinator::Options options;
  Pool pool;
  Watchers watchers;
  BlobSweeper sweeper;

  // As Store::Write; an outcome that is unknown ends the process, and until then nothing more is
  // written.
  Status Write(absl::FunctionRef<Status(StoreEdit&)> body);
  void Die(const Status& status);
  bool halted() const;  // an outcome is unknown

  // When to come back, jittered; soon after a start (or before a restart) spread out more.
  wire::ComeBack ComeBack(wire::ComeBack::Reason reason, std::string text = "");
  wire::ComeBack ComeBackAtOnce();  // kNoWork

  // Of polls that were taken and not used: those whose time is up are told to come back.
  void ReturnToPool(std::vector<Pool::Entry> entries);

  // Long work (folds) that a drain waits for. Begin: false while draining.
  bool BeginWork();
  void EndWork();
  void BeginDraining();
  void WhenIdle(std::function<void()> done);  // no work runs: posted to the executor
  bool draining() const;

 private:
  double Uniform();

  const absl::Time started_;
  mutable Mutex mu_;
  RandomStream random_ FED_GUARDED_BY(mu_);
  bool halted_ FED_GUARDED_BY(mu_) = false;
  bool draining_ FED_GUARDED_BY(mu_) = false;
  int working_ FED_GUARDED_BY(mu_) = 0;
  std::function<void()> idle_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_CONTEXT_H_
