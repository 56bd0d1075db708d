// Ends a stream on which nothing has moved for too long.
#ifndef FED_CLIENT_SDK_TRANSPORT_IDLE_WATCH_H_
#define FED_CLIENT_SDK_TRANSPORT_IDLE_WATCH_H_

#include <atomic>
#include <memory>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "grpcpp/client_context.h"

namespace fed::client {

// Thread-safe. Watches for as long as it lives; shared with its own timer, which holds it weakly.
class IdleWatch final : public std::enable_shared_from_this<IdleWatch> {
 public:
  IdleWatch(Executor& timers, const Clock& clock, std::shared_ptr<grpc::ClientContext> context,
            absl::Duration longest)
      : timers_(timers),
        clock_(clock),
        context_(std::move(context)),
        longest_(longest),
        moved_ns_(absl::ToUnixNanos(clock.Now())) {}

  void Start() { WaitUntil(clock_.Now() + longest_); }
  void Moved() { moved_ns_ = absl::ToUnixNanos(clock_.Now()); }
  bool expired() const { return expired_; }

 private:
  void WaitUntil(absl::Time time) {
    timers_.PostAt(time, [weak = weak_from_this()] {
      if (const auto watch = weak.lock()) watch->Look();
    });
  }
  void Look() {
    const absl::Time end = absl::FromUnixNanos(moved_ns_) + longest_;
    if (clock_.Now() < end) return WaitUntil(end);
    expired_ = true;
    context_->TryCancel();
  }

  Executor& timers_;
  const Clock& clock_;
  const std::shared_ptr<grpc::ClientContext> context_;
  const absl::Duration longest_;
  std::atomic<std::int64_t> moved_ns_;
  std::atomic<bool> expired_{false};
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_IDLE_WATCH_H_
