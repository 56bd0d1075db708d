// Writers that come while a commit is under way wait and share the next one.
#include "server/store/write_queue.h"

#include <algorithm>

namespace fed::server {

Status WriteQueue::Run(absl::FunctionRef<Status(StoreEdit&)> body) {
  PendingWrite write(body);
  std::vector<PendingWrite*> batch;
  {
    MutexLock lock(mu_);
    waiting_.push_back(&write);
    while (!write.done && (committing_ || waiting_.front() != &write)) write.changed.wait(mu_);
    if (write.done) return write.status;
    batch = TakeBatch();
    committing_ = true;
  }

  commit_(batch);

  MutexLock lock(mu_);
  committing_ = false;
  for (PendingWrite* answered : batch) {
    answered->done = true;
    answered->changed.notify_one();  // with the lock held: its Run can not return meanwhile
  }
  if (!waiting_.empty()) waiting_.front()->changed.notify_one();
  return write.status;
}

std::size_t WriteQueue::waiting() const {
  MutexLock lock(mu_);
  return waiting_.size();
}

std::vector<PendingWrite*> WriteQueue::TakeBatch() {
  const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(std::min(most_, waiting_.size()));
  std::vector<PendingWrite*> batch(waiting_.begin(), end);
  waiting_.erase(waiting_.begin(), end);
  return batch;
}

}  // namespace fed::server
