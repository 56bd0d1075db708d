// A check-in that waits for its answer.
#ifndef FED_SERVER_COORDINATE_HELD_POLL_H_
#define FED_SERVER_COORDINATE_HELD_POLL_H_

#include <cstdint>
#include <functional>
#include <memory>

#include "absl/time/time.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/security/access.h"
#include "server/store/records.h"

namespace fed::server {

// A device as it stands in the pool.
struct Device {
  Caller caller;
  wire::CheckInRequest request;
  Labels labels;              // its row's, and those it adds
  absl::Time until;           // then it is told to come back
  std::int64_t sequence = 0;  // of the check-ins as they arrived
  wire::Purpose purpose() const {
    return caller.role == Role::kEvaluator ? wire::Purpose::kEvaluate : wire::Purpose::kTrain;
  }
  bool Accepts(const JobId& job) const;
};

// Thread-safe. Shared by whoever waits for the answer, the pool and the timer of its expiry: the
// last of them to let go ends it.
class HeldPoll : public std::enable_shared_from_this<HeldPoll> {
 public:
  using Done = std::function<void(StatusOr<wire::CheckInReply>)>;

  // `executor` outlives it.
  HeldPoll(Executor& executor, Device device, Done done)
      : device_(std::move(device)), executor_(executor), done_(std::move(done)) {}

  const Device& device() const { return device_; }
  // REQUIRES: it is in no pool yet.
  void set_labels(Labels labels) { device_.labels = std::move(labels); }

  // Calls `done` on the executor. The first answer is the answer.
  void Answer(StatusOr<wire::CheckInReply> reply);
  void ComeBack(wire::ComeBack come_back);

  // Nobody waits any more: `done` is not called unless it is running already.
  void Cancel();
  bool cancelled() const;

 private:
  Device device_;
  Executor& executor_;
  mutable Mutex mu_;
  Done done_ FED_GUARDED_BY(mu_);
  bool answered_ FED_GUARDED_BY(mu_) = false;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_HELD_POLL_H_
