// Ends a stream on which nothing moves.
#ifndef FED_SERVER_RPC_IDLE_TIMER_H_
#define FED_SERVER_RPC_IDLE_TIMER_H_

#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"

namespace fed::server {

// Calls `expired` once when `limit` has passed since the last Touch. Thread-safe. `expired` runs on
// the executor, may come shortly after the destructor, and so refers to shared state only.
class IdleTimer {
 public:
  IdleTimer(Executor& executor, const Clock& clock, absl::Duration limit,
            std::function<void()> expired)
      : state_(std::make_shared<State>(executor, clock, limit, std::move(expired))) {
    State::Arm(state_);
  }
  ~IdleTimer() {
    MutexLock lock(state_->mu);
    state_->over = true;
  }
  IdleTimer(const IdleTimer&) = delete;
  IdleTimer& operator=(const IdleTimer&) = delete;

  void Touch() {
    MutexLock lock(state_->mu);
    state_->last = state_->clock.Now();
  }

 private:
  struct State {
    State(Executor& e, const Clock& c, absl::Duration l, std::function<void()> x)
        : executor(e), clock(c), limit(l), expired(std::move(x)), last(c.Now()) {}

    // Looks when the limit could have passed at the earliest: one timer a stream, whatever moves.
    static void Arm(const std::shared_ptr<State>& state) {
      absl::Time look;
      {
        MutexLock lock(state->mu);
        look = state->last + state->limit;
      }
      state->executor.PostAt(look, [weak = std::weak_ptr<State>(state)] {
        if (const std::shared_ptr<State> alive = weak.lock()) Look(alive);
      });
    }
    static void Look(const std::shared_ptr<State>& state) {
      if (state->Expire()) {
        state->expired();
      } else {
        Arm(state);
      }
    }
    bool Expire() {
      MutexLock lock(mu);
      if (over || clock.Now() < last + limit) return false;
      return over = true;
    }

    Executor& executor;
    const Clock& clock;
    const absl::Duration limit;
    const std::function<void()> expired;
    Mutex mu;
    absl::Time last FED_GUARDED_BY(mu);
    bool over FED_GUARDED_BY(mu) = false;
  };

  std::shared_ptr<State> state_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_IDLE_TIMER_H_
