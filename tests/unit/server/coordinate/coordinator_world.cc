// The world of a coordinator.
#include "tests/unit/server/coordinate/coordinator_world.h"

#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/crypto/digest.h"
#include "common/tensor/flat_layout.h"
#include "fed/model_plan.h"

namespace fed::server {
namespace {

constexpr int kTinyValues = 15;

template <typename T>
T Must(StatusOr<T> result) {
  EXPECT_TRUE(result.ok()) << result.status().message();
  return *std::move(result);
}

Digest TinyLayout() {
  const auto plan = Must(ParseModelPlan(kTinyPlan, "plan.toml"));
  return Must(FlatLayout::Make(Must(TensorsOf(plan)), RolePatterns{})).digest();
}

// What a read of the store finds.
template <typename T, typename Body>
T Ask(const Store& store, Body body) {
  T found{};
  EXPECT_OK(store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(found, body(view));
    return Status();
  }));
  return found;
}

std::uint64_t SeedOf(const std::string& name, ModelVersion base) {
  std::uint64_t seed = 17 + static_cast<std::uint64_t>(base.value) * 1'000;
  for (const char c : name) seed = seed * 31 + static_cast<unsigned char>(c);
  return seed;
}

}  // namespace

const char* const kTinyPlan = R"(name = "tiny"
input = [4]
loss = "mse"
[[layer]]
type = "linear"
name = "fc"
out = 3
)";

std::string JobText(const std::string& id, const std::string& rounds, const std::string& more) {
  return absl::StrCat("id = \"", id, "\"\n[model]\nplan = \"plan.toml\"\nseed = 1\n",
                      "[training]\nlearning_rate = 0.5\n[rounds]\n", rounds, "\n", more);
}

Status CheckInCall::status() const { return answered() ? (*reply)->status() : Status(); }

const wire::Assignment* CheckInCall::work() const {
  if (!answered() || !(*reply)->ok()) return nullptr;
  return std::get_if<wire::Assignment>(&(**reply)->work);
}

const wire::ComeBack* CheckInCall::come_back() const {
  if (!answered() || !(*reply)->ok()) return nullptr;
  return std::get_if<wire::ComeBack>(&(**reply)->work);
}

std::vector<wire::ReceiptEnd> CheckInCall::ends() const {
  return answered() && (*reply)->ok() ? (**reply)->ends : std::vector<wire::ReceiptEnd>();
}

CoordinatorWorld::CoordinatorWorld() {
  EXPECT_OK(files.MakeFolder("/state"));  // the operator's, and durable
  EXPECT_OK(files.SyncFolder("/"));
  Start();
}

void CoordinatorWorld::Kill() {
  intake_.reset();
  coordinator_.reset();
  executor.reset();
  fold.reset();
}

void CoordinatorWorld::Start() {
  executor = std::make_unique<testing::ManualExecutor>(clock);
  fold = std::make_unique<testing::ManualExecutor>(clock);
  blobs_ = Must(BlobFolder::Open(files, "/state/blobs"));
  spool_ = Must(Spool::Open(files, "/state/spool"));
  revocations_ = Must(Revocations::Load(store));
  coordinator_ =
      Must(Coordinator::Start({store, *blobs_, *spool_, *revocations_, *executor, *fold, clock,
                               log_, [this](const Status& status) { deaths.push_back(status); }},
                              {}));
  intake_ = std::make_unique<Intake>(
      Intake::Parts{store, *spool_, *coordinator_, *executor, clock, log_}, IntakeOptions{});
}

void CoordinatorWorld::Crank() {
  while (executor->RunUntilIdle() + fold->RunUntilIdle() > 0) {
  }
}

void CoordinatorWorld::Advance(absl::Duration by) {
  for (; by > absl::ZeroDuration(); by -= absl::Seconds(1)) {
    clock.Advance(std::min(by, absl::Seconds(1)));
    Crank();
  }
}

JobRecord CoordinatorWorld::Create(const std::string& text, bool start) {
  JobDraft draft;
  draft.spec = text;
  draft.spec_source = "job.toml";
  draft.plan = kTinyPlan;
  draft.plan_source = "plan.toml";
  draft.start = start;
  return Must(coordinator_->CreateJob(std::move(draft)));
}

wire::CheckInRequest MakeRequest(absl::Duration hold) {
  wire::CheckInRequest request;
  request.abilities.sdk_version = "0.1.0";
  request.abilities.platform = "linux-test";
  request.abilities.codecs = {"fp32"};
  request.abilities.examples = 100;
  request.hold = hold;
  return request;
}

CheckInCall CoordinatorWorld::CheckIn(const std::string& name, Role role,
                                      wire::CheckInRequest request) {
  CheckInCall call;
  call.poll = coordinator_->CheckIn(
      CallerOf(name, role), std::move(request),
      [reply = call.reply](StatusOr<wire::CheckInReply> result) { *reply = std::move(result); });
  Crank();
  return call;
}

testing::EncodedUpdate CoordinatorWorld::UpdateOf(const std::string& name,
                                                  const wire::Assignment& work) const {
  static const Digest layout = TinyLayout();
  testing::UpdateContents contents;
  contents.job = work.ref.job;
  contents.assignment = work.ref.assignment;
  contents.base = work.base;
  contents.layout = layout;
  contents.groups.clear();
  for (const std::string& group : work.update_groups) {
    contents.groups[group] = testing::SomeValues(kTinyValues, SeedOf(name + group, work.base));
  }
  contents.scalars = {{"examples", 10.0 + static_cast<double>(name.back() % 7)}, {"loss", 0.5}};
  return testing::MakeUpdate(contents);
}

StatusOr<wire::UploadReply> CoordinatorWorld::Upload(const std::string& name,
                                                     const wire::Assignment& work) {
  return Send(name, work.ref, UpdateOf(name, work));
}

StatusOr<wire::UploadReply> CoordinatorWorld::Send(const std::string& name,
                                                   const wire::AssignmentRef& ref,
                                                   const testing::EncodedUpdate& update) {
  auto last = std::make_shared<StatusOr<wire::UploadReply>>(
      Status(StatusCode::kInternal, "the upload was not answered"));
  const wire::UploadBegin begin{ref, update.digest, update.header_bytes, update.table_bytes,
                                update.total_bytes()};
  const auto upload =
      intake_->Begin(CallerOf(name), begin,
                     [last](StatusOr<wire::UploadReply> reply) { *last = std::move(reply); });
  Crank();
  if (!last->ok()) return *last;
  const auto* proceed = std::get_if<wire::UploadProceed>(&**last);
  if (proceed == nullptr) return *last;
  const std::int64_t offset = proceed->offset;
  upload->Append(offset, update.bytes.substr(static_cast<std::size_t>(offset)), [] {});
  upload->Finish();
  Crank();
  return *last;
}

StatusOr<wire::RenewReply> CoordinatorWorld::Renew(const std::string& name,
                                                   const wire::AssignmentRef& ref) {
  auto last = std::make_shared<StatusOr<wire::RenewReply>>(Status(StatusCode::kInternal, ""));
  wire::RenewRequest request;
  request.ref = ref;
  request.step = 3;
  request.steps = 9;
  coordinator_->Renew(CallerOf(name), request,
                      [last](StatusOr<wire::RenewReply> reply) { *last = std::move(reply); });
  Crank();
  return *last;
}

StatusOr<wire::EvaluationReply> CoordinatorWorld::Report(const std::string& name,
                                                         const wire::AssignmentRef& ref,
                                                         double accuracy) {
  auto last = std::make_shared<StatusOr<wire::EvaluationReply>>(Status(StatusCode::kInternal, ""));
  coordinator_->ReportEvaluation(
      CallerOf(name, Role::kEvaluator), {ref, {{"accuracy", accuracy}}},
      [last](StatusOr<wire::EvaluationReply> reply) { *last = std::move(reply); });
  Crank();
  return *last;
}

void CoordinatorWorld::RunRounds(const std::string& job, const std::vector<std::string>& names,
                                 std::int64_t published) {
  for (int turn = 0; turn < 100 && Latest(job).version.value < published; ++turn) {
    std::vector<CheckInCall> calls;
    for (const std::string& name : names) calls.push_back(CheckIn(name));
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (calls[i].work() != nullptr) (void)Upload(names[i], *calls[i].work()).ok();
    }
    calls.clear();
    Advance(absl::Seconds(1));
  }
  EXPECT_EQ(Latest(job).version.value, published);
}

JobRecord CoordinatorWorld::Job(const std::string& job) const {
  return Ask<JobRecord>(store, [&](const StoreView& v) { return v.Job(JobId{job}); });
}

RoundRecord CoordinatorWorld::Round(const std::string& job, std::int64_t round) const {
  return Ask<RoundRecord>(store,
                          [&](const StoreView& v) { return v.Round(JobId{job}, RoundId{round}); });
}

std::vector<RoundRecord> CoordinatorWorld::Rounds(const std::string& job) const {
  return Ask<std::vector<RoundRecord>>(
      store, [&](const StoreView& v) { return v.Rounds(JobId{job}, 1'000); });
}

std::vector<AssignmentRecord> CoordinatorWorld::Assignments(const std::string& job,
                                                            std::int64_t round) const {
  return Ask<std::vector<AssignmentRecord>>(
      store, [&](const StoreView& v) { return v.Assignments(JobId{job}, RoundId{round}); });
}

AssignmentRecord CoordinatorWorld::Assignment(const wire::AssignmentRef& ref) const {
  return Ask<AssignmentRecord>(
      store, [&](const StoreView& v) { return v.Assignment(ref.job, ref.assignment); });
}

std::vector<Receipt> CoordinatorWorld::Receipts(const std::string& job, std::int64_t round) const {
  return Ask<std::vector<Receipt>>(
      store, [&](const StoreView& v) { return v.Receipts(JobId{job}, RoundId{round}); });
}

std::vector<ModelRecord> CoordinatorWorld::Models(const std::string& job) const {
  return Ask<std::vector<ModelRecord>>(store,
                                       [&](const StoreView& v) { return v.Models(JobId{job}); });
}

ModelRecord CoordinatorWorld::Latest(const std::string& job) const {
  return Ask<ModelRecord>(store, [&](const StoreView& v) { return v.LatestModel(JobId{job}); });
}

ClientRecord CoordinatorWorld::Client(const std::string& name) const {
  return Ask<ClientRecord>(store, [&](const StoreView& v) { return v.Client(ClientId{name}); });
}

Scalars CoordinatorWorld::Metrics(const std::string& job, std::int64_t round) const {
  return Ask<Scalars>(
      store, [&](const StoreView& v) { return v.RoundMetrics(JobId{job}, RoundId{round}); });
}

void CoordinatorWorld::ExpectInvariants(const std::string& job) const {
  std::map<std::int64_t, std::int64_t> version_of;  // round -> version
  for (const ModelRecord& model : Models(job)) {
    version_of[model.made_by.value] = model.version.value;
    if (!model.kept) continue;
    for (const auto& [group, file] : model.files) {  // 2
      EXPECT_OK(blobs_->Open(Must(Digest::FromHex(file.digest))));
    }
  }
  int active = 0;
  for (const RoundRecord& round : Rounds(job)) {
    const bool is_active = round.state == RoundState::kOpen || round.state == RoundState::kClosing;
    active += is_active ? 1 : 0;
    std::set<ClientId> clients;
    for (const AssignmentRecord& row : Assignments(job, round.round.value)) {
      EXPECT_TRUE(clients.insert(row.client).second) << "two assignments of one client";
    }
    for (const Receipt& receipt : Receipts(job, round.round.value)) {  // 1
      EXPECT_EQ(Assignment({JobId{job}, receipt.assignment}).state, AssignmentState::kDone);
      if (is_active) {
        EXPECT_NE(receipt.end, ReceiptEnd::kCounted);
        if (receipt.end == ReceiptEnd::kOpen) {
          EXPECT_OK(spool_->OpenForReading(receipt));
        }
      } else if (round.state == RoundState::kPublished) {
        EXPECT_NE(receipt.end, ReceiptEnd::kOpen);
        if (receipt.end == ReceiptEnd::kCounted) {
          EXPECT_EQ(receipt.counted_in.value, version_of.at(round.round.value));
        }
      } else {
        EXPECT_EQ(receipt.end, ReceiptEnd::kDiscarded);
        EXPECT_FALSE(receipt.reason.empty());
      }
    }
  }
  EXPECT_LE(active, 1);
}

}  // namespace fed::server
