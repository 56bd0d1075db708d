// Finds the job that is meant and hands over; what happens in a job is the runner's.
#include "server/coordinate/coordinator.h"

#include <algorithm>
#include <atomic>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "server/coordinate/check_in.h"
#include "server/coordinate/client_book.h"
#include "server/coordinate/context.h"
#include "server/coordinate/job_change.h"
#include "server/coordinate/job_creation.h"
#include "server/coordinate/job_list.h"
#include "server/coordinate/recovery.h"

namespace fed::server {
namespace {

Status NoSuchJob(const JobId& job) {
  return Status(StatusCode::kNotFound, absl::StrCat("no job \"", job.value, "\""));
}

// Everything of one coordinator; tasks on the executors hold it while they run.
struct Office {
  explicit Office(std::shared_ptr<Context> its_context)
      : context(std::move(its_context)),
        book(std::make_shared<ClientBook>(context)),
        desk(std::make_shared<CheckInDesk>(context, jobs, *book)) {}

  const std::shared_ptr<Context> context;
  JobList jobs;
  const std::shared_ptr<ClientBook> book;
  const std::shared_ptr<CheckInDesk> desk;
};

class HeldCheckIn final : public Coordinator::Poll {
 public:
  HeldCheckIn(std::shared_ptr<Context> context, std::shared_ptr<HeldPoll> poll)
      : context_(std::move(context)), poll_(std::move(poll)) {}
  ~HeldCheckIn() override {
    poll_->Cancel();
    context_->pool.Remove(*poll_);
  }

 private:
  std::shared_ptr<Context> context_;
  std::shared_ptr<HeldPoll> poll_;
};

class RunningCoordinator final : public Coordinator {
 public:
  explicit RunningCoordinator(std::shared_ptr<Context> context)
      : office_(std::make_shared<Office>(std::move(context))) {}

  Status Recover();

  std::unique_ptr<Poll> CheckIn(const Caller& caller, wire::CheckInRequest request,
                                std::function<void(StatusOr<wire::CheckInReply>)> done) override;
  void Renew(const Caller& caller, wire::RenewRequest request,
             std::function<void(StatusOr<wire::RenewReply>)> done) override;
  void ReportEvaluation(const Caller& caller, wire::EvaluationReport report,
                        std::function<void(StatusOr<wire::EvaluationReply>)> done) override;
  void CountDownload(const JobId& job, std::int64_t bytes) override;

  StatusOr<UpdateTerms> Expects(const Caller& caller, const wire::AssignmentRef& ref) override;
  void Accepted(const Receipt& receipt) override;
  void Rejected(const Caller& caller, const wire::AssignmentRef& ref,
                const std::string& reason) override;
  void OutcomeUnknown(const Status& status) override { context().Die(status); }

  StatusOr<JobRecord> CreateJob(JobDraft draft) override;
  StatusOr<JobRecord> StartJob(const JobId& job) override;
  StatusOr<JobRecord> PauseJob(const JobId& job, const std::string& reason) override {
    return Order(job, "pause", reason);
  }
  StatusOr<JobRecord> ResumeJob(const JobId& job) override { return Order(job, "resume", ""); }
  StatusOr<JobRecord> StopJob(const JobId& job, const std::string& reason) override {
    return Order(job, "stop", reason);
  }
  StatusOr<LiveJob> Live(const JobId& job) const override;
  std::vector<LiveParticipant> LiveParticipants(const JobId& job, RoundId round) const override;
  bool IsWaiting(const ClientId& client) const override { return context().pool.IsWaiting(client); }
  std::unique_ptr<Watch> WatchJob(const JobId& job,
                                  std::function<void(const Change&)> changed) override {
    return context().watchers.Add(job, std::move(changed));
  }
  void Drain(std::function<void()> done) override;

 private:
  Context& context() const { return *office_->context; }
  StatusOr<std::shared_ptr<JobRunner>> AddRunner(const JobRecord& job);
  StatusOr<JobRecord> Order(const JobId& job, const std::string& action, const std::string& reason);

  const std::shared_ptr<Office> office_;
  std::atomic<std::int64_t> check_ins_{0};
};

Status RunningCoordinator::Recover() {
  std::vector<JobRecord> jobs;
  FED_RETURN_IF_ERROR(context().parts.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(jobs, view.Jobs());
    return Status();
  }));
  FED_RETURN_IF_ERROR(SweepSpool(context()));
  FED_RETURN_IF_ERROR(SweepBlobs(context()));
  for (const JobRecord& job : jobs) {
    const StatusOr<std::shared_ptr<JobRunner>> runner = AddRunner(job);
    if (runner.ok()) continue;
    context().parts.log.Error("job.not_resumed",
                              {{"job", job.id.value}, {"reason", runner.status().message()}});
  }
  context().parts.revocations.OnRevoked([weak = std::weak_ptr<Office>(office_)](
                                            const ClientId& client) {
    const auto office = weak.lock();
    if (!office) return;
    for (const Pool::Entry& entry : office->context->pool.Take({client})) {
      entry.poll->Answer(Status(StatusCode::kPermissionDenied, "this identity has been revoked"));
    }
    for (const auto& job : office->jobs.All()) job->Revoked(client);
  });
  return Status();
}

StatusOr<std::shared_ptr<JobRunner>> RunningCoordinator::AddRunner(const JobRecord& job) {
  FED_ASSIGN_OR_RETURN(SavedJob saved, ReadSavedJob(context(), job));
  auto runner = std::make_shared<JobRunner>(office_->context, std::move(saved));
  FED_RETURN_IF_ERROR(runner->Begin());
  office_->jobs.Add(runner);
  return runner;
}

std::unique_ptr<Coordinator::Poll> RunningCoordinator::CheckIn(
    const Caller& caller, wire::CheckInRequest request,
    std::function<void(StatusOr<wire::CheckInReply>)> done) {
  Executor& executor = context().parts.executor;
  const absl::Duration hold =
      std::clamp(request.hold, absl::ZeroDuration(), absl::Duration(kMaxPollHold));
  Device device{caller, std::move(request), {}, context().parts.clock.Now() + hold, ++check_ins_};
  auto poll = std::make_shared<HeldPoll>(executor, std::move(device), std::move(done));
  executor.Post([office = office_, poll] { office->desk->Take(poll); });
  return std::make_unique<HeldCheckIn>(office_->context, std::move(poll));
}

void RunningCoordinator::Renew(const Caller& caller, wire::RenewRequest request,
                               std::function<void(StatusOr<wire::RenewReply>)> done) {
  context().parts.executor.Post(
      [office = office_, caller, request = std::move(request), done = std::move(done)] {
        const auto job = office->jobs.Find(request.ref.job);
        if (!job) return done(NoSuchJob(request.ref.job));
        done(job->Renew(caller.id, request));
      });
}

void RunningCoordinator::ReportEvaluation(
    const Caller& caller, wire::EvaluationReport report,
    std::function<void(StatusOr<wire::EvaluationReply>)> done) {
  context().parts.executor.Post(
      [office = office_, caller, report = std::move(report), done = std::move(done)] {
        const auto job = office->jobs.Find(report.ref.job);
        if (!job) return done(NoSuchJob(report.ref.job));
        done(job->Report(caller.id, report));
      });
}

void RunningCoordinator::CountDownload(const JobId& job, std::int64_t bytes) {
  if (const auto runner = office_->jobs.Find(job)) runner->CountDownload(bytes);
}

StatusOr<UpdateTerms> RunningCoordinator::Expects(const Caller& caller,
                                                  const wire::AssignmentRef& ref) {
  AssignmentRecord row;
  RoundState round = RoundState::kFailed;
  FED_RETURN_IF_ERROR(context().parts.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(row, view.Assignment(ref.job, ref.assignment));
    FED_ASSIGN_OR_RETURN(const RoundRecord its_round, view.Round(ref.job, row.round));
    round = its_round.state;
    return Status();
  }));
  const std::string name =
      absl::StrCat("assignment ", ref.assignment.value, " of job \"", ref.job.value, "\"");
  if (row.client != caller.id) {
    return Status(StatusCode::kNotFound, absl::StrCat("no ", name, " of this client"));
  }
  if (row.state == AssignmentState::kRejected) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(name, " was rejected: ", row.reason));
  }
  if (round != RoundState::kOpen) {
    return Status(StatusCode::kAborted, absl::StrCat("round ", row.round.value,
                                                     " is closed: ", name, " no longer counts"));
  }
  const auto job = office_->jobs.Find(ref.job);
  if (!job) return NoSuchJob(ref.job);
  return TermsOfUpdate(job->terms(), row);
}

void RunningCoordinator::Accepted(const Receipt& receipt) {
  if (const auto job = office_->jobs.Find(receipt.job)) job->Accepted(receipt);
}

void RunningCoordinator::Rejected(const Caller& caller, const wire::AssignmentRef& ref,
                                  const std::string& reason) {
  if (const auto job = office_->jobs.Find(ref.job)) {
    job->Rejected(caller.id, ref.assignment, reason);
  }
}

StatusOr<JobRecord> RunningCoordinator::CreateJob(JobDraft draft) {
  FED_ASSIGN_OR_RETURN(const CreatedJob created, CreateJobRows(context(), std::move(draft)));
  FED_ASSIGN_OR_RETURN(const auto runner, AddRunner(created.job));
  context().parts.log.Info(
      "job.created", {{"job", created.job.id.value}, {"state", JobStateName(created.job.state)}});
  if (created.job.state == JobState::kRunning) office_->desk->Join(*runner);
  return created.job;
}

StatusOr<JobRecord> RunningCoordinator::StartJob(const JobId& job) {
  FED_ASSIGN_OR_RETURN(const JobRecord started, Order(job, "start", ""));
  office_->desk->Join(*office_->jobs.Find(job));
  return started;
}

StatusOr<JobRecord> RunningCoordinator::Order(const JobId& job, const std::string& action,
                                              const std::string& reason) {
  const auto runner = office_->jobs.Find(job);
  if (!runner) return NoSuchJob(job);
  return runner->Order(action, reason);
}

StatusOr<LiveJob> RunningCoordinator::Live(const JobId& job) const {
  const auto runner = office_->jobs.Find(job);
  if (!runner) return NoSuchJob(job);
  return runner->Live();
}

std::vector<LiveParticipant> RunningCoordinator::LiveParticipants(const JobId& job,
                                                                  RoundId round) const {
  const auto runner = office_->jobs.Find(job);
  return runner ? runner->Participants(round) : std::vector<LiveParticipant>();
}

void RunningCoordinator::Drain(std::function<void()> done) {
  context().parts.log.Info("server.draining");
  context().BeginDraining();
  for (const Pool::Entry& entry : context().pool.TakeAll()) {
    entry.poll->ComeBack(
        context().ComeBack(wire::ComeBack::Reason::kShuttingDown, "the server shuts down"));
  }
  context().WhenIdle([office = office_, done = std::move(done)] {
    office->book->Flush();
    done();
  });
}

}  // namespace

StatusOr<std::unique_ptr<Coordinator>> Coordinator::Start(Parts parts, Options options) {
  auto made =
      std::make_unique<RunningCoordinator>(std::make_shared<Context>(std::move(parts), options));
  FED_RETURN_IF_ERROR(made->Recover());
  return std::unique_ptr<Coordinator>(std::move(made));
}

}  // namespace fed::server
