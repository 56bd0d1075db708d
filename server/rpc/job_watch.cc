// WatchJob's stream.
#include "server/rpc/job_watch.h"

#include <algorithm>
#include <string>
#include <utility>

namespace fed::server {
namespace {

constexpr std::size_t kMaxQueued = 256;

bool HasEnded(const v1::Job& job) {
  return job.state() == v1::JOB_STATE_COMPLETED || job.state() == v1::JOB_STATE_STOPPED;
}

// Of a round that is still on its way: a newer one says the same and more.
bool IsPassing(const v1::JobEvent& event) {
  return event.has_progress() &&
         (event.progress().state() == "OPEN" || event.progress().state() == "CLOSING");
}

}  // namespace

class JobWatch::CallReactor final : public JobWatch::Reactor {
 public:
  void OnWriteDone(bool ok) override { state->Written(ok); }
  void OnCancel() override {
    if (state != nullptr)
      state->line_.Finish(Status(StatusCode::kCancelled, "the caller went away"));
  }
  void OnDone() override {
    if (state != nullptr) state->Over();
    delete this;  // NOLINT: owns itself
  }

  std::shared_ptr<JobWatch> state;
};

JobWatch::JobWatch(CallReactor* reactor, const Parts& parts, const JobId& job)
    : line_(reactor), parts_(parts), job_(job) {}

JobWatch::Reactor* JobWatch::Start(const Parts& parts, const ClientId& caller, const JobId& job) {
  auto* const reactor = new CallReactor;  // NOLINT: owns itself until OnDone
  auto state = std::shared_ptr<JobWatch>(new JobWatch(reactor, parts, job));
  reactor->state = state;
  state->registration_ =
      parts.live.Add(caller, [weak = std::weak_ptr<JobWatch>(state)](const Status& why) {
        if (const auto alive = weak.lock()) alive->line_.Finish(why);
      });
  parts.executor.Post([state] { state->Begin(); });
  return reactor;
}

JobWatch::Reactor* JobWatch::Refuse(const Status& status) {
  auto* const reactor = new CallReactor;  // NOLINT: owns itself until OnDone
  reactor->Finish(wire::ToGrpc(status));
  return reactor;
}

// Watches first and looks then, so that no change falls between the two.
void JobWatch::Begin() {
  const std::weak_ptr<JobWatch> weak = shared_from_this();
  auto watch = parts_.coordinator.WatchJob(job_, [weak](const Coordinator::Change& change) {
    if (const auto alive = weak.lock()) alive->Changed(change);
  });
  {
    MutexLock lock(mu_);
    watch_ = std::move(watch);
  }
  Changed({job_, RoundId{0}, ModelVersion{-1}});
}

void JobWatch::Changed(const Coordinator::Change& change) {
  StatusOr<v1::JobEvent> event = EventOf(change);
  if (!event.ok()) {
    line_.Finish(event.status());
    return;
  }
  Send(*std::move(event));
}

StatusOr<v1::JobEvent> JobWatch::EventOf(const Coordinator::Change& change) const {
  v1::JobEvent event;
  event.set_round(change.round.value);
  if (change.evaluated.value >= 0) {
    FED_ASSIGN_OR_RETURN(*event.mutable_evaluated(), parts_.views.Model(job_, change.evaluated));
    event.set_round(event.evaluated().round());
  } else if (change.round.value > 0) {
    FED_ASSIGN_OR_RETURN(*event.mutable_progress(), parts_.views.Round(job_, change.round));
  } else {
    FED_ASSIGN_OR_RETURN(*event.mutable_job(), parts_.views.Job(job_));
  }
  return event;
}

void JobWatch::Send(v1::JobEvent event) {
  {
    MutexLock lock(mu_);
    if (over_) return;
    over_ = event.has_job() && HasEnded(event.job());
    if (queue_.size() >= kMaxQueued) {
      const auto passing = std::find_if(queue_.begin(), queue_.end(), IsPassing);
      queue_.erase(passing != queue_.end() ? passing : queue_.begin());
    }
    queue_.push_back(std::move(event));
  }
  WriteNext();
}

void JobWatch::WriteNext() {
  bool finish = false;
  {
    MutexLock lock(mu_);
    if (writing_) return;
    finish = queue_.empty() && over_;
    if (queue_.empty() && !over_) return;
    if (!finish) {
      writing_ = true;
      event_ = std::move(queue_.front());
      queue_.pop_front();
    }
  }
  if (finish) {
    line_.Finish(Status());
  } else {
    line_.With([this](CallReactor& reactor) { reactor.StartWrite(&event_); });
  }
}

void JobWatch::Written(bool ok) {
  if (!ok) {
    line_.Finish(Status(StatusCode::kCancelled, "the caller went away"));
    return;
  }
  {
    MutexLock lock(mu_);
    writing_ = false;
  }
  WriteNext();
}

void JobWatch::Over() {
  registration_.reset();
  std::unique_ptr<Coordinator::Watch> watch;
  MutexLock lock(mu_);
  watch.swap(watch_);
}

}  // namespace fed::server
