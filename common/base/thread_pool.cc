// A queue of ready tasks, a queue of timed ones, and threads that wait for either.
#include "common/base/thread_pool.h"

#include <pthread.h>

#include <deque>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/check.h"
#include "common/base/mutex.h"

namespace fed {

struct ThreadPool::State {
  explicit State(const Clock& clock_in) : clock(clock_in) {}

  void Work();
  absl::Time NextTime() const FED_REQUIRES(mu);
  bool TakeTask(std::function<void()>& task) FED_REQUIRES(mu);

  const Clock& clock;
  Mutex mu;
  CondVar changed;
  bool stopping FED_GUARDED_BY(mu) = false;
  std::deque<std::function<void()>> ready FED_GUARDED_BY(mu);
  std::multimap<absl::Time, std::function<void()>> timed FED_GUARDED_BY(mu);
  std::vector<std::thread> threads;  // of the owner
};

ThreadPool::ThreadPool(const std::string& name, int threads, const Clock& clock)
    : state_(std::make_unique<State>(clock)) {
  FED_CHECK(threads >= 1);
  for (int i = 0; i < threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->Work(); });
    // The kernel keeps 15 characters of a name: 11, a dash and three digits.
    const std::string thread_name = name.substr(0, 11) + "-" + std::to_string(i % 1000);
    pthread_setname_np(state_->threads.back().native_handle(), thread_name.c_str());
  }
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(state_->mu);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
}

void ThreadPool::Post(std::function<void()> task) {
  {
    MutexLock lock(state_->mu);
    state_->ready.push_back(std::move(task));
  }
  state_->changed.notify_one();
}

void ThreadPool::PostAt(absl::Time time, std::function<void()> task) {
  bool sooner = false;
  {
    MutexLock lock(state_->mu);
    sooner = time < state_->NextTime();
    state_->timed.emplace(time, std::move(task));
  }
  if (sooner) state_->changed.notify_all();
}

void ThreadPool::State::Work() {
  MutexLock lock(mu);
  while (!stopping) {
    std::function<void()> task;
    if (TakeTask(task)) {
      mu.unlock();
      task();
      task = nullptr;  // what it holds dies outside the lock
      mu.lock();
      continue;
    }
    const absl::Time next = NextTime();
    clock.AwaitUntil(
        mu, changed,
        [&]() FED_REQUIRES(mu) { return stopping || !ready.empty() || NextTime() < next; }, next);
  }
}

absl::Time ThreadPool::State::NextTime() const {
  return timed.empty() ? absl::InfiniteFuture() : timed.begin()->first;
}

bool ThreadPool::State::TakeTask(std::function<void()>& task) {
  // Timed tasks first: they have waited at least as long, and a full queue must not delay leases.
  if (!timed.empty() && timed.begin()->first <= clock.Now()) {
    task = std::move(timed.begin()->second);
    timed.erase(timed.begin());
    return true;
  }
  if (ready.empty()) return false;
  task = std::move(ready.front());
  ready.pop_front();
  return true;
}

}  // namespace fed
