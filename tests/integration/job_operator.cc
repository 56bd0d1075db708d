// fedctl's calls.
#include "tests/integration/job_operator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/tensor/safetensors.h"
#include "tests/testing/temp_folder.h"

namespace fed::testing {
namespace {

constexpr std::size_t kPieceBytes = 1 << 20;
constexpr std::int64_t kTokenLifeMs = 3'600'000;

v1::JobRequest Of(const std::string& job) {
  v1::JobRequest request;
  request.set_job(job);
  return request;
}

v1::ClientRequest OfClient(const std::string& id) {
  v1::ClientRequest request;
  request.set_id(id);
  return request;
}

}  // namespace

const char* const kTinyPlan = R"(name = "tiny"
input = [4]
loss = "softmax_cross_entropy"

[[layer]]
type = "linear"
name = "fc"
out = 3
)";

std::string JobText::Toml() const {
  return absl::StrCat("id = \"", id, "\"\n[model]\n",
                      plan.empty() ? "file = \"model.safetensors\"" : "plan = \"plan.toml\"", "\n",
                      in_model, "\n[training]\n", training, "\n[rounds]\ncount = ", rounds,
                      "\ncohort = ", cohort, "\n", in_rounds,
                      "\n[evaluation]\nevery = ", evaluate_every, "\n", more);
}

std::string FileOf(const Parameters& model) {
  const TempFolder folder;
  const std::string path = folder.File("model.safetensors");
  FED_CHECK(SaveSafetensors(FileSystem::Real(), path, model).ok());
  return Must(ReadFile(FileSystem::Real(), path, 64 << 20));
}

bool LookUntil(const std::function<bool()>& is_so) {
  const Clock& clock = Clock::Real();
  const absl::Time end = clock.Now() + kPatience;
  bool so = is_so();
  while (!so && clock.Now() < end) so = is_so();
  return so;
}

JobOperator::JobOperator(const RunningServer& server)
    : peer_(server.addresses().admin, TestPki::Shared().Operator("the-operator")) {}

StatusOr<v1::Job> JobOperator::TryCreate(const JobText& job) {
  v1::Admin::Stub stub(peer_.channel());
  grpc::ClientContext context;
  Peer::SetDeadline(context);
  v1::Job reply;
  const auto stream = stub.CreateJob(&context, &reply);
  v1::CreateJobRequest request;
  v1::CreateJobRequest::Begin& begin = *request.mutable_begin();
  begin.set_spec(job.Toml());
  begin.set_spec_source("job.toml");
  begin.set_plan(job.plan);
  begin.set_plan_source("plan.toml");
  begin.set_model_bytes(static_cast<std::int64_t>(job.model.size()));
  begin.set_start(true);
  stream->Write(request);
  for (std::size_t at = 0; at < job.model.size(); at += kPieceBytes) {
    request.set_model_piece(job.model.substr(at, kPieceBytes));
    if (!stream->Write(request)) break;
  }
  stream->WritesDone();
  const Status status = Peer::Told(stream->Finish());
  if (!status.ok()) return status;
  return reply;
}

v1::Job JobOperator::Show(const std::string& job) {
  return Must(peer_.Call(&v1::Admin::Stub::ShowJob, Of(job))).job();
}

v1::ShowRoundReply JobOperator::Round(const std::string& job, std::int64_t round) {
  v1::ShowRoundRequest request;
  request.set_job(job);
  request.set_round(round);
  return Must(peer_.Call(&v1::Admin::Stub::ShowRound, request));
}

std::vector<v1::Model> JobOperator::Models(const std::string& job) {
  v1::ListModelsRequest request;
  request.set_job(job);
  const auto reply = Must(peer_.Call(&v1::Admin::Stub::ListModels, request));
  return {reply.models().begin(), reply.models().end()};
}

std::string JobOperator::DigestOf(const std::string& job, std::int64_t version) {
  for (const v1::Model& model : Models(job)) {
    if (model.version() == version) return model.digest();
  }
  return absl::StrCat("no version ", version);
}

Parameters JobOperator::Download(const std::string& job, std::int64_t version,
                                 const std::string& group) {
  v1::DownloadModelRequest request;
  request.set_job(job);
  request.set_version(version);
  request.set_group(group);
  v1::Admin::Stub stub(peer_.channel());
  grpc::ClientContext context;
  Peer::SetDeadline(context);
  const auto stream = stub.DownloadModel(&context, request);
  std::string bytes;
  for (v1::ModelPiece piece; stream->Read(&piece);) bytes += piece.data();
  const Status status = Peer::Told(stream->Finish());
  const TempFolder folder;
  const std::string path = folder.File("model.safetensors");
  const Status written = status.ok() ? WriteFileDurably(FileSystem::Real(), path, bytes) : status;
  return Must(written.ok() ? LoadSafetensors(FileSystem::Real(), path)
                           : StatusOr<Parameters>(written));
}

std::string JobOperator::Token(Role role, std::int64_t uses) {
  v1::CreateEnrollTokenRequest request;
  request.set_role(std::string(RoleName(role)));
  request.set_uses(uses);
  request.set_ttl_ms(kTokenLifeMs);
  return Must(peer_.Call(&v1::Admin::Stub::CreateEnrollToken, request)).token();
}

v1::Client JobOperator::Revoke(const std::string& client) {
  return Must(peer_.Call(&v1::Admin::Stub::RevokeClient, OfClient(client)));
}

bool JobOperator::IsWaiting(const std::string& client) {
  const auto shown = peer_.Call(&v1::Admin::Stub::ShowClient, OfClient(client));
  return shown.ok() && shown->waiting();
}

bool JobOperator::AwaitWaiting(const std::string& client) {
  return LookUntil([&] { return IsWaiting(client); });
}

bool JobOperator::Await(const std::string& job, const std::function<bool()>& is_so) {
  v1::Admin::Stub stub(peer_.channel());
  grpc::ClientContext context;
  Peer::SetDeadline(context);
  const auto stream = stub.WatchJob(&context, Of(job));
  bool so = false;
  for (v1::JobEvent event; !so && stream->Read(&event);) so = is_so();
  context.TryCancel();
  for (v1::JobEvent event; stream->Read(&event);) {
  }
  stream->Finish();
  return so;
}

bool JobOperator::AwaitVersion(const std::string& job, std::int64_t version) {
  return Await(job, [&] { return Show(job).latest_version() >= version; });
}

bool JobOperator::AwaitCompleted(const std::string& job) {
  return Await(job, [&] { return Show(job).state() == v1::JOB_STATE_COMPLETED; });
}

}  // namespace fed::testing
