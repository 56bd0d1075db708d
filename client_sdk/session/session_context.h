// What surrounds one device's session, and the two places where its code runs.
#ifndef FED_CLIENT_SDK_SESSION_SESSION_CONTEXT_H_
#define FED_CLIENT_SDK_SESSION_SESSION_CONTEXT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "fed/client_options.h"

namespace fed::client {

// All decisions of a session are made on `events`, which runs one task at a time, so they need no
// locks. What blocks (training, hashing, files) runs on `work`, one task a session at a time, and
// comes back to `events`. Callbacks hold their object weakly: whoever is gone misses nothing.
// Held by shared_ptr, because tasks on either executor may outlive the session that posted them.
class SessionContext final : public std::enable_shared_from_this<SessionContext> {
 public:
  // All of it outlives the executors' tasks.
  struct Parts {
    const ClientOptions& options;
    FileSystem& files;
    const Clock& clock;
    Executor& events;
    Executor& work;
    const Log& log;
    std::uint64_t seed = 0;  // of jitter
  };

  explicit SessionContext(const Parts& parts)
      : options(parts.options),
        files(parts.files),
        clock(parts.clock),
        log(parts.log),
        events_(parts.events),
        work_(parts.work),
        seed_(parts.seed) {}

  const ClientOptions& options;
  FileSystem& files;
  const Clock& clock;
  const Log& log;

  // A callback that may be called on any thread: then(target, result) happens on `events`.
  template <typename T, typename Then>
  auto OnEvents(T& target, Then then) {
    return [&events = events_, weak = target.weak_from_this(), then](auto result) {
      events.Post([weak, then, result = std::move(result)]() mutable {
        if (auto alive = weak.lock()) then(*alive, std::move(result));
      });
    };
  }

  // then(target) on `events`, after a while.
  template <typename T, typename Then>
  void After(absl::Duration wait, T& target, Then then) {
    events_.PostAt(clock.Now() + wait, [weak = target.weak_from_this(), then] {
      if (auto alive = weak.lock()) then(*alive);
    });
  }

  // run() on `work`, then then(target, its result) on `events`.
  template <typename T, typename Run, typename Then>
  void Work(T& target, Run run, Then then) {
    ++running_;
    work_.Post([context = weak_from_this(), &events = events_, weak = target.weak_from_this(), run,
                then]() mutable {
      auto result = run();
      events.Post([context, weak, then, result = std::move(result)]() mutable {
        if (auto alive = weak.lock()) then(*alive, std::move(result));
        if (auto alive = context.lock()) alive->WorkEnded();
      });
    });
  }

  // Calls `idle` once no work is running any more; at once if none is. At most one caller.
  void WhenIdle(std::function<void()> idle);

  Backoff NewBackoff();
  // Uniform in [wait / 2, wait].
  absl::Duration Jittered(absl::Duration wait);
  void Report(const ClientProgress& progress) const;

 private:
  void WorkEnded();

  Executor& events_;
  Executor& work_;
  const std::uint64_t seed_;
  std::uint64_t streams_ = 0;  // of randomness, handed out
  int running_ = 0;
  std::function<void()> idle_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_SESSION_CONTEXT_H_
