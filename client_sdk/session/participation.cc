// The steps stand in the order in which they happen.
#include "client_sdk/session/participation.h"

#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "client_sdk/session/retry.h"

namespace fed::client {
namespace {

// A number of the configuration, as far as it is one.
double NumberOf(const std::map<std::string, Value>& config, const std::string& name) {
  const auto found = config.find(name);
  if (found == config.end()) return 0;
  if (const auto* whole = std::get_if<std::int64_t>(&found->second)) {
    return static_cast<double>(*whole);
  }
  const auto* real = std::get_if<double>(&found->second);
  return real == nullptr ? 0 : *real;
}

Status CheckOwnerLimit(const wire::Assignment& assignment, const std::string& name,
                       std::int64_t most) {
  const double asked = NumberOf(assignment.config, name);
  if (asked <= static_cast<double>(most)) return {};
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat("job ", assignment.ref.job.value, " asks for ", asked, " ", name,
                             ": this device's owner allows ", most));
}

}  // namespace

Participation::Participation(const Workplace& place, Transport& transport,
                             wire::Assignment assignment, std::function<void(Status)> done)
    : place_(place),
      transport_(transport),
      shared_assignment_(std::make_shared<const wire::Assignment>(std::move(assignment))),
      assignment_(*shared_assignment_),
      signs_(std::make_shared<TrainingSigns>()),
      done_(std::move(done)),
      backoff_(place.context.NewBackoff()) {}

void Participation::Start() {
  signs_->SetDeadline(place_.context.clock.Now() + assignment_.remaining);
  if (Status status = CheckOwnerLimits(); !status.ok()) return Finish(std::move(status));
  lease_ = std::make_shared<Lease>(place_.context, transport_, assignment_, signs_,
                                   [weak = weak_from_this()](Status why) {
                                     if (auto self = weak.lock()) self->Stop(std::move(why));
                                   });
  lease_->Start();
  if (place_.outbox.HasUnsent(assignment_.ref)) return Deliver();
  Fetch();
}

Status Participation::CheckOwnerLimits() const {
  const OwnerLimits& limits = place_.context.options.limits;
  FED_RETURN_IF_ERROR(CheckOwnerLimit(assignment_, "epochs", limits.max_epochs));
  return CheckOwnerLimit(assignment_, "steps", limits.max_steps);
}

void Participation::Fetch() {
  Enter(Stage::kFetching);
  fetch_ = std::make_shared<VersionFetch>(
      place_.context, transport_, place_.cache, assignment_, signs_,
      [this](StatusOr<VersionFiles> files) { OnFetched(std::move(files)); });
  fetch_->Start();
}

void Participation::OnFetched(StatusOr<VersionFiles> files) {
  if (!files.ok()) return Finish(files.status());
  if (assignment_.purpose == wire::Purpose::kTrain) return Train(*std::move(files));
  Evaluate(*std::move(files));
}

void Participation::Train(VersionFiles files) {
  Enter(Stage::kTraining);
  place_.context.Work(
      *this,
      [training = &place_.training, assignment = shared_assignment_, files = std::move(files),
       signs = signs_] { return training->Train(*assignment, files, *signs); },
      [](Participation& self, const Status& status) { self.OnTrained(status); });
}

void Participation::OnTrained(const Status& status) {
  if (!stopped_.ok()) return Finish(stopped_);
  // Not our own stop: the deadline passed, or the trainer has reasons of its own.
  if (status.code() == StatusCode::kCancelled) {
    return Finish(Status(StatusCode::kAborted, "training ended early: " + status.message()));
  }
  if (!status.ok()) return Finish(status);
  Deliver();
}

void Participation::Deliver() {
  Enter(Stage::kDelivering);
  delivery_ =
      std::make_shared<Delivery>(place_.context, transport_, place_.outbox, assignment_.ref, signs_,
                                 [this](Status status) { Finish(std::move(status)); });
  delivery_->Start();
}

void Participation::Evaluate(VersionFiles files) {
  Enter(Stage::kEvaluating);
  place_.context.Work(
      *this,
      [training = &place_.training, assignment = shared_assignment_, files = std::move(files),
       signs = signs_] { return training->Evaluate(*assignment, files, *signs); },
      [](Participation& self, StatusOr<Scalars> scalars) { self.OnEvaluated(std::move(scalars)); });
}

void Participation::OnEvaluated(StatusOr<Scalars> scalars) {
  if (!stopped_.ok()) return Finish(stopped_);
  if (!scalars.ok()) return Finish(scalars.status());
  scalars_ = *std::move(scalars);
  Enter(Stage::kReporting);
  Report();
}

void Participation::Report() {
  if (stage_ != Stage::kReporting) return;
  call_ = transport_.ReportEvaluation(
      {assignment_.ref, scalars_},
      place_.context.OnEvents(*this,
                              [](Participation& self, StatusOr<wire::EvaluationReply> reply) {
                                self.OnReported(reply);
                              }));
}

void Participation::OnReported(const StatusOr<wire::EvaluationReply>& reply) {
  if (stage_ != Stage::kReporting) return;
  call_ = nullptr;
  if (reply.ok()) {
    if (!reply->taken) {
      place_.context.log.Info("evaluation.not_wanted",
                              {{"job", assignment_.ref.job.value}, {"why", reply->reason}});
    }
    return Finish(Status());
  }
  if (VerdictOf(reply.status()) != Verdict::kRepeat) return Finish(reply.status());
  place_.context.After(backoff_.Next(), *this, [](Participation& self) { self.Report(); });
}

void Participation::Stop(Status why) {
  if (stage_ == Stage::kEnded) return;
  if (stage_ == Stage::kTraining || stage_ == Stage::kEvaluating) {
    signs_->stop = true;
    stopped_ = std::move(why);
    return;  // OnTrained and OnEvaluated go on
  }
  Finish(std::move(why));
}

void Participation::Enter(Stage stage) {
  using Told = ClientProgress::Stage;
  stage_ = stage;
  wire::Stage sign = wire::Stage::kDownloading;
  Told told = Told::kDownloading;
  switch (stage) {
    case Stage::kFetching:
    case Stage::kEnded:
      break;
    case Stage::kTraining:
      sign = wire::Stage::kTraining;
      told = Told::kTraining;
      break;
    case Stage::kDelivering:
      sign = wire::Stage::kUploading;
      told = Told::kUploading;
      break;
    case Stage::kEvaluating:
    case Stage::kReporting:
      sign = wire::Stage::kEvaluating;
      told = Told::kEvaluating;
      break;
  }
  lease_->SetStage(sign);
  ClientProgress progress;
  progress.job = assignment_.ref.job.value;
  progress.round = assignment_.round.value;
  progress.stage = told;
  place_.context.Report(progress);
}

void Participation::Finish(Status status) {
  if (stage_ == Stage::kEnded) return;
  stage_ = Stage::kEnded;
  call_ = nullptr;
  lease_ = nullptr;
  if (fetch_ != nullptr) fetch_->Stop();
  if (delivery_ != nullptr) delivery_->Stop();
  std::exchange(done_, nullptr)(std::move(status));
}

}  // namespace fed::client
