// Fakes and the wiring between them.
#include "tests/unit/server/ingest/intake_world.h"

#include <algorithm>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"

namespace fed::server {

using testing::EncodedUpdate;

UpdateTerms TermsOf(const testing::UpdateContents& contents) {
  UpdateTerms terms;
  terms.joins = RoundId{1};
  terms.base = contents.base;
  terms.layout = contents.layout;
  terms.codec = contents.codec;
  for (const auto& [name, values] : contents.groups) {
    terms.groups.push_back({name, static_cast<std::int64_t>(values.size())});
  }
  terms.scalars = {"examples", "local_steps"};
  terms.weight_scalar = "examples";
  terms.max_weight = 1'000;
  return terms;
}

wire::UploadBegin BeginOf(const EncodedUpdate& update, AssignmentId assignment,
                          const std::string& job) {
  return {{JobId{job}, assignment},
          update.digest,
          update.header_bytes,
          update.table_bytes,
          update.total_bytes()};
}

void FakeGate::Expect(const Caller& caller, AssignmentId assignment, UpdateTerms terms) {
  MutexLock lock(mu_);
  known_[assignment] = {caller.id, std::move(terms)};
}

void FakeGate::Answer(Status status) {
  MutexLock lock(mu_);
  answer_ = std::move(status);
}

StatusOr<UpdateTerms> FakeGate::Expects(const Caller& caller, const wire::AssignmentRef& ref) {
  MutexLock lock(mu_);
  if (!answer_.ok()) return answer_;
  const auto found = known_.find(ref.assignment);
  if (found == known_.end() || found->second.client != caller.id) {
    return Status(StatusCode::kNotFound, "no such assignment of this client");
  }
  if (const auto reason = rejected_.find(ref.assignment); reason != rejected_.end()) {
    return Status(StatusCode::kFailedPrecondition, reason->second);
  }
  return found->second.terms;
}

void FakeGate::Accepted(const Receipt& receipt) {
  MutexLock lock(mu_);
  accepted_.push_back(receipt);
}

void FakeGate::Rejected(const Caller&, const wire::AssignmentRef& ref, const std::string& reason) {
  MutexLock lock(mu_);
  rejected_[ref.assignment] = reason;
}

void FakeGate::OutcomeUnknown(const Status&) {
  MutexLock lock(mu_);
  ++unknown_;
}

std::vector<Receipt> FakeGate::accepted() const {
  MutexLock lock(mu_);
  return accepted_;
}

std::map<AssignmentId, std::string> FakeGate::rejected() const {
  MutexLock lock(mu_);
  return rejected_;
}

int FakeGate::unknown() const {
  MutexLock lock(mu_);
  return unknown_;
}

template <typename Kind>
const Kind* Stream::Find() const {
  for (const auto& reply : *replies_) {
    if (reply.ok() && std::holds_alternative<Kind>(reply.value())) {
      return &std::get<Kind>(reply.value());
    }
  }
  return nullptr;
}

std::int64_t Stream::offset() const {
  const auto* proceed = Find<wire::UploadProceed>();
  return proceed ? proceed->offset : -1;
}

bool Stream::has_receipt() const { return Find<wire::UploadReceipt>() != nullptr; }

std::string Stream::refusal() const {
  const auto* refused = Find<wire::UploadRefused>();
  return refused ? refused->reason : "";
}

Status Stream::error() const {
  for (const auto& reply : *replies_) {
    if (!reply.ok()) return reply.status();
  }
  return {};
}

const wire::ComeBack* Stream::come_back() const { return Find<wire::ComeBack>(); }

void Stream::Send(const EncodedUpdate& update, std::int64_t from, std::int64_t to,
                  std::int64_t piece) {
  for (std::int64_t at = from; at < to; at += piece) {
    const auto count = static_cast<std::size_t>(std::min(piece, to - at));
    upload_->Append(at, update.bytes.substr(static_cast<std::size_t>(at), count),
                    [consumed = consumed_] { ++*consumed; });
  }
}

IntakeWorld::IntakeWorld(IntakeOptions options) : options_(options) {
  FED_CHECK(files.MakeFolder("/state").ok() && files.SyncFolder("/").ok());
  FED_CHECK(store
                .Write([](StoreEdit& edit) {
                  JobRecord job;
                  job.id = JobId{"job-a"};
                  FED_RETURN_IF_ERROR(edit.PutJob(job));
                  RoundRecord round;
                  round.job = job.id;
                  round.round = RoundId{1};
                  return edit.PutRound(round);
                })
                .ok());
  Start();
}

IntakeWorld::~IntakeWorld() { Stop(); }

void IntakeWorld::Start() {
  executor_ = std::make_unique<testing::ManualExecutor>(clock);
  StatusOr<std::unique_ptr<Spool>> spool = Spool::Open(files, "/state/spool");
  FED_CHECK(spool.ok());
  spool_ = *std::move(spool);
  intake_ = std::make_unique<Intake>(
      Intake::Parts{store, *spool_, gate, *executor_, clock, Log::Null()}, options_);
}

void IntakeWorld::Stop() {
  intake_.reset();
  executor_.reset();
  spool_.reset();
}

void IntakeWorld::Assign(const std::string& client, AssignmentId assignment,
                         const UpdateTerms& terms) {
  FED_CHECK(store
                .Write([&](StoreEdit& edit) {
                  ClientRecord record;
                  record.id = ClientId{client};
                  FED_RETURN_IF_ERROR(edit.PutClient(record));
                  AssignmentRecord row;
                  row.job = JobId{"job-a"};
                  row.assignment = assignment;
                  row.round = RoundId{1};
                  row.client = record.id;
                  row.base = terms.base;
                  row.codec = terms.codec;
                  return edit.PutAssignment(row);
                })
                .ok());
  gate.Expect({ClientId{client}}, assignment, terms);
}

void IntakeWorld::CloseRound(RoundState state) {
  FED_CHECK(store
                .Write([&](StoreEdit& edit) {
                  FED_ASSIGN_OR_RETURN(RoundRecord round, edit.Round(JobId{"job-a"}, RoundId{1}));
                  round.state = state;
                  return edit.PutRound(round);
                })
                .ok());
}

Stream IntakeWorld::Begin(const std::string& client, const wire::UploadBegin& begin) {
  Stream stream;
  stream.upload_ = intake_->Begin({ClientId{client}}, begin,
                                  [replies = stream.replies_](StatusOr<wire::UploadReply> reply) {
                                    replies->push_back(std::move(reply));
                                  });
  Run();
  return stream;
}

Stream IntakeWorld::Upload(const std::string& client, const EncodedUpdate& update,
                           AssignmentId assignment) {
  Stream stream = Begin(client, BeginOf(update, assignment));
  if (stream.offset() >= 0) stream.Send(update, stream.offset(), update.total_bytes());
  Run();
  return stream;
}

void IntakeWorld::Restart() {
  Stop();
  Start();
}

void IntakeWorld::CutPower() {
  Stop();
  files.Crash();
  Start();
}

void IntakeWorld::TearPower() {
  Stop();
  files.CrashTearingTheLastWrite();
  Start();
}

StatusOr<Receipt> IntakeWorld::ReceiptOf(AssignmentId assignment) const {
  Receipt receipt;
  FED_RETURN_IF_ERROR(store.Read([&](const StoreView& view) {
    FED_ASSIGN_OR_RETURN(receipt, view.ReceiptOf(JobId{"job-a"}, assignment));
    return Status();
  }));
  return receipt;
}

std::string IntakeWorld::SpooledBytes(const Receipt& receipt) const {
  const StatusOr<std::unique_ptr<File>> file = spool_->OpenForReading(receipt);
  if (!file.ok()) return "";
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(receipt.bytes));
  if (!(*file)->ReadAt(receipt.spool_offset, absl::MakeSpan(bytes)).ok()) return "";
  return std::string(AsText(bytes));
}

}  // namespace fed::server
