// Counting of running work, and jitter.
#include "client_sdk/session/session_context.h"

#include "common/base/random.h"

namespace fed::client {

void SessionContext::WhenIdle(std::function<void()> idle) {
  if (running_ == 0) return idle();
  idle_ = std::move(idle);
}

void SessionContext::WorkEnded() {
  if (--running_ > 0 || !idle_) return;
  std::exchange(idle_, nullptr)();
}

Backoff SessionContext::NewBackoff() {
  return Backoff(absl::FromChrono(options.retry_first), absl::FromChrono(options.retry_longest),
                 RandomStream(seed_, RandomPurpose::kBackoff, ++streams_));
}

absl::Duration SessionContext::Jittered(absl::Duration wait) {
  RandomStream random(seed_, RandomPurpose::kBackoff, ++streams_);
  return wait * (0.5 + random.Uniform() / 2);
}

void SessionContext::Report(const ClientProgress& progress) const {
  if (options.on_progress) options.on_progress(progress);
}

}  // namespace fed::client
