// CreateJob's stream.
#include "server/rpc/job_upload.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"

namespace fed::server {
namespace {

constexpr std::size_t kMaxTextBytes = 1 << 20;
constexpr std::size_t kMaxSourceBytes = 4'096;

Status Invalid(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

}  // namespace

class JobUpload::CallReactor final : public JobUpload::Reactor {
 public:
  void OnReadDone(bool ok) override {
    if (state != nullptr) state->Read(ok);
  }
  void OnCancel() override {
    if (state != nullptr)
      state->line_.Finish(Status(StatusCode::kCancelled, "the caller went away"));
  }
  void OnDone() override {
    if (state != nullptr) state->idle_.reset();
    delete this;  // NOLINT: owns itself
  }

  std::shared_ptr<JobUpload> state;
};

JobUpload::JobUpload(CallReactor* reactor, const Parts& parts, v1::Job* reply)
    : line_(reactor), parts_(parts), reply_(reply) {}

JobUpload::Reactor* JobUpload::Start(const Parts& parts, v1::Job* reply) {
  auto* const reactor = new CallReactor;  // NOLINT: owns itself until OnDone
  auto state = std::shared_ptr<JobUpload>(new JobUpload(reactor, parts, reply));
  reactor->state = state;
  state->idle_ = std::make_unique<IdleTimer>(
      parts.executor, parts.clock, parts.idle_timeout, [weak = std::weak_ptr<JobUpload>(state)] {
        if (const auto alive = weak.lock()) {
          alive->line_.Finish(
              Status(StatusCode::kDeadlineExceeded, "nothing came on this stream for too long"));
        }
      });
  reactor->StartRead(&state->request_);
  return reactor;
}

JobUpload::Reactor* JobUpload::Refuse(const Status& status) {
  auto* const reactor = new CallReactor;  // NOLINT: owns itself until OnDone
  reactor->Finish(wire::ToGrpc(status));
  return reactor;
}

void JobUpload::Read(bool ok) {
  idle_->Touch();
  parts_.executor.Post([self = shared_from_this(), ok] {
    if (!ok) {
      self->Create();
      return;
    }
    const Status taken = self->Take();
    if (!taken.ok()) {
      self->line_.Finish(taken);
      return;
    }
    self->line_.With([&](CallReactor& reactor) { reactor.StartRead(&self->request_); });
  });
}

Status JobUpload::Take() {
  if (request_.has_begin() && !begun_) return TakeBegin();
  if (!request_.model_piece().empty() && begun_) return TakeModel();
  return Invalid("a job is one `begin` message and then `model_piece` messages");
}

Status JobUpload::TakeBegin() {
  v1::CreateJobRequest::Begin& begin = *request_.mutable_begin();
  if (begin.spec().size() > kMaxTextBytes || begin.plan().size() > kMaxTextBytes ||
      begin.spec_source().size() > kMaxSourceBytes ||
      begin.plan_source().size() > kMaxSourceBytes) {
    return Invalid(absl::StrCat("job.toml and plan have at most ", kMaxTextBytes, " bytes each"));
  }
  if (begin.model_bytes() < 0) return Invalid("model_bytes is negative");
  begun_ = true;
  draft_.spec = std::move(*begin.mutable_spec());
  draft_.spec_source = std::move(*begin.mutable_spec_source());
  draft_.plan = std::move(*begin.mutable_plan());
  draft_.plan_source = std::move(*begin.mutable_plan_source());
  draft_.start = begin.start();
  model_bytes_ = begin.model_bytes();
  if (model_bytes_ > 0) {
    FED_ASSIGN_OR_RETURN(draft_.initial_model, parts_.blobs.Begin());
  }
  return Status();
}

Status JobUpload::TakeModel() {
  const std::string& piece = request_.model_piece();
  const auto size = static_cast<std::int64_t>(piece.size());
  if (size > model_bytes_ - written_) {
    return Invalid(absl::StrCat("more than the announced ", model_bytes_, " bytes of the model"));
  }
  FED_RETURN_IF_ERROR(draft_.initial_model->file().WriteAt(written_, AsBytes(piece)));
  written_ += size;
  return Status();
}

void JobUpload::Create() {
  if (!begun_ || written_ != model_bytes_) {
    line_.Finish(Invalid(absl::StrCat("the stream ended early: ", written_, " of ", model_bytes_,
                                      " bytes of the model came")));
    return;
  }
  const StatusOr<JobRecord> job = parts_.coordinator.CreateJob(std::move(draft_));
  if (!job.ok()) {
    line_.Finish(job.status());
    return;
  }
  StatusOr<v1::Job> view = parts_.views.Job(job->id);
  line_.With([&](CallReactor&) {
    if (view.ok()) *reply_ = *std::move(view);
  });
  line_.Finish(view.status());
}

}  // namespace fed::server
