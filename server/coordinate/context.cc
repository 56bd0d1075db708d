// Writing with a last resort, pace, and the end of work.
#include "server/coordinate/context.h"

#include <utility>

namespace fed::server {
namespace {

// For so long after a start devices come back spread out: they all lost their polls at once.
constexpr absl::Duration kAfterStart = absl::Seconds(10);

}  // namespace

Context::Context(Coordinator::Parts its_parts, Coordinator::Options its_options)
    : parts(std::move(its_parts)),
      options(its_options),
      pool(parts.clock),
      watchers(parts.executor),
      sweeper(parts.store, parts.blobs, parts.log),
      started_(parts.clock.Now()),
      random_(static_cast<std::uint64_t>(absl::ToUnixNanos(started_)), RandomPurpose::kBackoff, 0) {
}

Status Context::Write(absl::FunctionRef<Status(StoreEdit&)> body) {
  if (halted()) return Status(StatusCode::kUnavailable, "the server is about to end");
  Status status = parts.store.Write(body);
  if (status.code() == StatusCode::kUnknown) Die(status);
  return status;
}

void Context::Die(const Status& status) {
  {
    MutexLock lock(mu_);
    if (std::exchange(halted_, true)) return;
  }
  parts.log.Error("store.outcome_unknown", {{"reason", status.message()}});
  parts.die(status);
}

bool Context::halted() const {
  MutexLock lock(mu_);
  return halted_;
}

wire::ComeBack Context::ComeBack(wire::ComeBack::Reason reason, std::string text) {
  absl::Duration after = options.come_back_after * (0.5 + 0.5 * Uniform());
  if (draining() || parts.clock.Now() < started_ + kAfterStart) {
    after += options.restart_spread * Uniform();
  }
  return {reason, after, std::move(text)};
}

wire::ComeBack Context::ComeBackAtOnce() {
  return {wire::ComeBack::Reason::kNoWork, absl::Milliseconds(50) * Uniform(), ""};
}

void Context::ReturnToPool(std::vector<Pool::Entry> entries) {
  std::vector<Pool::Entry> in_time;
  for (Pool::Entry& entry : entries) {
    if (entry.poll->device().until > parts.clock.Now()) {
      in_time.push_back(std::move(entry));
    } else {
      entry.poll->ComeBack(ComeBackAtOnce());
    }
  }
  pool.PutBack(std::move(in_time));
}

bool Context::BeginWork() {
  MutexLock lock(mu_);
  if (draining_) return false;
  ++working_;
  return true;
}

void Context::EndWork() {
  std::function<void()> idle;
  {
    MutexLock lock(mu_);
    if (--working_ == 0) idle = std::exchange(idle_, nullptr);
  }
  if (idle) parts.executor.Post(std::move(idle));
}

void Context::BeginDraining() {
  MutexLock lock(mu_);
  draining_ = true;
}

void Context::WhenIdle(std::function<void()> done) {
  {
    MutexLock lock(mu_);
    if (working_ > 0) {
      idle_ = std::move(done);
      return;
    }
  }
  parts.executor.Post(std::move(done));
}

bool Context::draining() const {
  MutexLock lock(mu_);
  return draining_;
}

double Context::Uniform() {
  MutexLock lock(mu_);
  return random_.Uniform();
}

}  // namespace fed::server
