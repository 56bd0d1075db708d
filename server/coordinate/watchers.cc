// Callbacks by job.
#include "server/coordinate/watchers.h"

#include <utility>

namespace fed::server {

class Watchers::Handle final : public Coordinator::Watch {
 public:
  Handle(std::weak_ptr<Shared> shared, JobId job, std::int64_t id)
      : shared_(std::move(shared)), job_(std::move(job)), id_(id) {}

  ~Handle() override {
    const auto shared = shared_.lock();
    if (!shared) return;
    MutexLock lock(shared->mu);
    const auto at = shared->of.find(job_);
    if (at == shared->of.end()) return;
    at->second.erase(id_);
    if (at->second.empty()) shared->of.erase(at);
  }

 private:
  std::weak_ptr<Shared> shared_;
  JobId job_;
  std::int64_t id_;
};

std::unique_ptr<Coordinator::Watch> Watchers::Add(const JobId& job, Changed changed) {
  MutexLock lock(shared_->mu);
  const std::int64_t id = ++shared_->last;
  shared_->of[job].emplace(id, std::make_shared<const Changed>(std::move(changed)));
  return std::make_unique<Handle>(shared_, job, id);
}

void Watchers::Tell(const Coordinator::Change& change) {
  MutexLock lock(shared_->mu);
  const auto at = shared_->of.find(change.job);
  if (at == shared_->of.end()) return;
  for (const auto& [id, changed] : at->second) {
    executor_.Post([watcher = std::weak_ptr<const Changed>(changed), change] {
      if (const auto alive = watcher.lock()) (*alive)(change);
    });
  }
}

}  // namespace fed::server
