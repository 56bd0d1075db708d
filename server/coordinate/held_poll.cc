// One answer, or none if nobody waits any more.
#include "server/coordinate/held_poll.h"

#include <algorithm>
#include <utility>

namespace fed::server {

bool Device::Accepts(const JobId& job) const {
  return request.jobs.empty() ||
         std::find(request.jobs.begin(), request.jobs.end(), job) != request.jobs.end();
}

void HeldPoll::Answer(StatusOr<wire::CheckInReply> reply) {
  {
    MutexLock lock(mu_);
    if (answered_ || !done_) return;
    answered_ = true;
  }
  auto shared = std::make_shared<StatusOr<wire::CheckInReply>>(std::move(reply));
  executor_.Post([self = shared_from_this(), shared] {
    Done done;
    {
      MutexLock lock(self->mu_);
      done = std::exchange(self->done_, nullptr);
    }
    if (done) done(std::move(*shared));
  });
}

void HeldPoll::ComeBack(wire::ComeBack come_back) {
  wire::CheckInReply reply;
  reply.work = std::move(come_back);
  Answer(std::move(reply));
}

void HeldPoll::Cancel() {
  Done dropped;  // ends after the lock: it may own anything
  MutexLock lock(mu_);
  dropped = std::exchange(done_, nullptr);
}

bool HeldPoll::cancelled() const {
  MutexLock lock(mu_);
  return !done_ && !answered_;
}

}  // namespace fed::server
