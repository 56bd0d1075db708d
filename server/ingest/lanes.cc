// A queue of tasks an assignment, and the map that finds it.
#include "server/ingest/lanes.h"

#include <utility>
#include <vector>

namespace fed::server {

void Lane::Post(std::function<void()> task) {
  {
    MutexLock lock(mu_);
    tasks_.push_back(std::move(task));
    if (running_) return;
    running_ = true;
  }
  executor_.Post([self = shared_from_this()] { self->RunOne(); });
}

// One task, then back into the executor's queue: other assignments get their turn.
void Lane::RunOne() {
  std::function<void()> task;
  {
    MutexLock lock(mu_);
    if (!tasks_.empty()) {
      task = std::move(tasks_.front());
      tasks_.pop_front();
    }
  }
  if (task) task();
  task = nullptr;  // what it holds dies while the lane is still ours
  {
    MutexLock lock(mu_);
    running_ = !tasks_.empty();
    if (!running_) return;
  }
  executor_.Post([self = shared_from_this()] { self->RunOne(); });
}

void Lane::DropTasks() {
  std::deque<std::function<void()>> dropped;
  MutexLock lock(mu_);
  dropped.swap(tasks_);
}

std::shared_ptr<Lane> Lanes::Enter(const wire::AssignmentRef& ref) {
  MutexLock lock(mu_);
  Place& place = places_[ref];
  if (!place.lane) place.lane = std::make_shared<Lane>(executor_);
  ++place.uploads;
  return place.lane;
}

void Lanes::Leave(const wire::AssignmentRef& ref) {
  MutexLock lock(mu_);
  const auto found = places_.find(ref);
  if (found == places_.end() || --found->second.uploads > 0) return;
  const Lane& lane = *found->second.lane;
  const bool keep = lane.distrusted || (lane.kept && places_.size() <= most_kept_);
  if (!keep) places_.erase(found);
}

void Lanes::DropTasks() {
  std::vector<std::shared_ptr<Lane>> lanes;
  {
    MutexLock lock(mu_);
    for (const auto& [ref, place] : places_) lanes.push_back(place.lane);
  }
  for (const std::shared_ptr<Lane>& lane : lanes) lane->DropTasks();
}

}  // namespace fed::server
