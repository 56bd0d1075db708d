// All rows of a MemoryStore.
#include "tests/testing/memory_tables.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/match.h"
#include "server/store/store_rules.h"
#include "server/store/stored_time.h"

namespace fed::server {
namespace {

// The row at `key`, or `none`.
template <typename Map, typename Key>
StatusOr<typename Map::mapped_type> Find(const Map& map, const Key& key, Status none) {
  const auto found = map.find(key);
  if (found == map.end()) return none;
  return found->second;
}

// Rows for which `wanted` holds, by key.
template <typename Map, typename Wanted>
std::vector<typename Map::mapped_type> Select(const Map& map, Wanted wanted) {
  std::vector<typename Map::mapped_type> rows;
  for (const auto& [key, row] : map) {
    if (wanted(row)) rows.push_back(row);
  }
  return rows;
}

// As a database keeps it: to the microsecond.
void Stored(absl::Time& time) { time = TimeFromStored(ToStored(time)); }
void Stored(absl::Duration& duration) { duration = DurationFromStored(ToStored(duration)); }

template <typename Row>
void Keep(std::vector<Row>& rows, std::int64_t limit) {
  const auto most = static_cast<std::size_t>(std::max<std::int64_t>(limit, 0));
  if (rows.size() > most) rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(most), rows.end());
}

void SetEnd(Receipt& receipt, ReceiptEnd end, ModelVersion counted_in, const std::string& reason) {
  receipt.end = end;
  receipt.counted_in = end == ReceiptEnd::kCounted ? counted_in : ModelVersion{};
  receipt.reason = end == ReceiptEnd::kDiscarded ? reason : "";
}

}  // namespace

StatusOr<JobRecord> MemoryTables::Job(const JobId& job) const {
  return Find(jobs_, job, NoJob(job));
}

StatusOr<std::vector<JobRecord>> MemoryTables::Jobs() const {
  return Select(jobs_, [](const JobRecord&) { return true; });
}

StatusOr<ClientRecord> MemoryTables::Client(const ClientId& id) const {
  return Find(clients_, id, NoClient(id));
}

StatusOr<std::vector<ClientRecord>> MemoryTables::Clients(std::int64_t limit) const {
  auto rows = Select(clients_, [](const ClientRecord&) { return true; });
  Keep(rows, limit);
  return rows;
}

StatusOr<std::vector<ClientRecord>> MemoryTables::ClientsByPrefix(absl::string_view prefix) const {
  return Select(clients_, [prefix](const ClientRecord& client) {
    return absl::StartsWith(client.id.value, prefix);
  });
}

StatusOr<EnrollTokenRecord> MemoryTables::EnrollToken(absl::string_view hash) const {
  return Find(tokens_, std::string(hash), NoEnrollToken());
}

StatusOr<std::vector<CertificateRecord>> MemoryTables::Certificates(const ClientId& client) const {
  return Select(certificates_, [&](const CertificateRecord& row) { return row.client == client; });
}

StatusOr<CertificateRecord> MemoryTables::CertificateOf(absl::string_view token_hash,
                                                        absl::string_view key_digest) const {
  const auto rows = Select(certificates_, [&](const CertificateRecord& row) {
    return row.token_hash == token_hash && row.key_digest == key_digest;
  });
  const auto last = std::max_element(
      rows.begin(), rows.end(), [](const CertificateRecord& a, const CertificateRecord& b) {
        return a.not_after < b.not_after || (a.not_after == b.not_after && a.serial < b.serial);
      });
  if (last == rows.end()) return NoCertificate();
  return *last;
}

StatusOr<RoundRecord> MemoryTables::Round(const JobId& job, RoundId round) const {
  return Find(rounds_, std::pair(job, round), NoRound(job, round));
}

StatusOr<std::vector<RoundRecord>> MemoryTables::ActiveRounds(const JobId& job) const {
  return Select(rounds_, [&](const RoundRecord& row) {
    return row.job == job && (row.state == RoundState::kOpen || row.state == RoundState::kClosing);
  });
}

StatusOr<std::vector<RoundRecord>> MemoryTables::Rounds(const JobId& job,
                                                        std::int64_t limit) const {
  auto rows = Select(rounds_, [&](const RoundRecord& row) { return row.job == job; });
  std::reverse(rows.begin(), rows.end());
  Keep(rows, limit);
  return rows;
}

StatusOr<std::int64_t> MemoryTables::CountRounds(const JobId& job, RoundState state) const {
  return std::count_if(rounds_.begin(), rounds_.end(), [&](const auto& entry) {
    return entry.second.job == job && entry.second.state == state;
  });
}

StatusOr<AssignmentRecord> MemoryTables::Assignment(const JobId& job, AssignmentId a) const {
  return Find(assignments_, std::pair(job, a), NoAssignment(job, a));
}

StatusOr<std::vector<AssignmentRecord>> MemoryTables::Assignments(const JobId& job,
                                                                  RoundId r) const {
  return Select(assignments_,
                [&](const AssignmentRecord& row) { return row.job == job && row.round == r; });
}

StatusOr<AssignmentId> MemoryTables::LastAssignment(const JobId& job) const {
  AssignmentId last;
  for (const auto& [key, row] : assignments_) {
    if (key.first == job) last = std::max(last, key.second);
  }
  for (const auto& [key, row] : evaluations_) {
    if (key.first == job) last = std::max(last, key.second);
  }
  return last;
}

StatusOr<Receipt> MemoryTables::ReceiptOf(const JobId& job, AssignmentId a) const {
  return Find(receipts_, std::pair(job, a), NoReceipt(job, a));
}

StatusOr<std::vector<Receipt>> MemoryTables::Receipts(const JobId& job, RoundId joins) const {
  return Select(receipts_,
                [&](const Receipt& row) { return row.job == job && row.joins == joins; });
}

StatusOr<std::vector<Receipt>> MemoryTables::OpenReceipts() const {
  return Select(receipts_, [](const Receipt& row) { return row.end == ReceiptEnd::kOpen; });
}

StatusOr<bool> MemoryTables::HasOpenReceipt(const JobId& job, const ClientId& client) const {
  return std::any_of(receipts_.begin(), receipts_.end(), [&](const auto& entry) {
    const Receipt& row = entry.second;
    return row.job == job && row.client == client && row.end == ReceiptEnd::kOpen;
  });
}

StatusOr<ModelRecord> MemoryTables::Model(const JobId& job, ModelVersion version) const {
  return Find(models_, std::pair(job, version), NoModel(job, version));
}

StatusOr<ModelRecord> MemoryTables::LatestModel(const JobId& job) const {
  const auto rows = Select(models_, [&](const ModelRecord& row) { return row.job == job; });
  if (rows.empty()) return NoModels(job);
  return rows.back();
}

StatusOr<std::vector<ModelRecord>> MemoryTables::Models(const JobId& job) const {
  return Select(models_, [&](const ModelRecord& row) { return row.job == job; });
}

StatusOr<bool> MemoryTables::IsBlobNamed(absl::string_view digest) const {
  return std::any_of(models_.begin(), models_.end(), [&](const auto& entry) {
    const ModelRecord& row = entry.second;
    return row.kept && std::any_of(row.files.begin(), row.files.end(),
                                   [&](const auto& file) { return file.second.digest == digest; });
  });
}

StatusOr<EvaluationRecord> MemoryTables::Evaluation(const JobId& job, AssignmentId a) const {
  return Find(evaluations_, std::pair(job, a), NoEvaluation(job, a));
}

StatusOr<std::vector<EvaluationRecord>> MemoryTables::Evaluations(const JobId& job,
                                                                  ModelVersion version) const {
  return Select(evaluations_, [&](const EvaluationRecord& row) {
    return row.job == job && row.version == version;
  });
}

StatusOr<Scalars> MemoryTables::RoundMetrics(const JobId& job, RoundId round) const {
  const auto found = metrics_.find(std::pair(job, round));
  return found == metrics_.end() ? Scalars{} : found->second;
}

Status MemoryTables::PutJob(const JobRecord& job) {
  JobRecord& row = jobs_[job.id] = job;
  Stored(row.created_at);
  return Status();
}

Status MemoryTables::PutClient(const ClientRecord& client) {
  ClientRecord& row = clients_[client.id] = client;
  Stored(row.enrolled_at);
  Stored(row.first_seen);
  Stored(row.last_seen);
  return Status();
}

Status MemoryTables::PutEnrollToken(const EnrollTokenRecord& token) {
  Stored((tokens_[token.hash] = token).expires_at);
  return Status();
}

Status MemoryTables::PutCertificate(const CertificateRecord& certificate) {
  FED_RETURN_IF_ERROR(CheckPut(*this, certificate));
  Stored((certificates_[certificate.serial] = certificate).not_after);
  return Status();
}

Status MemoryTables::PutRound(const RoundRecord& round) {
  FED_RETURN_IF_ERROR(CheckPut(*this, round));
  RoundRecord& row = rounds_[std::pair(round.job, round.round)] = round;
  Stored(row.opened_at);
  Stored(row.closed_at);
  Stored(row.remaining);
  return Status();
}

Status MemoryTables::PutAssignment(const AssignmentRecord& assignment) {
  FED_RETURN_IF_ERROR(CheckPut(*this, assignment));
  const std::pair key(assignment.job, assignment.assignment);
  Stored((assignments_[key] = assignment).remaining);
  return Status();
}

Status MemoryTables::AddReceipt(const Receipt& receipt) {
  FED_RETURN_IF_ERROR(CheckAdd(*this, receipt));
  const std::pair key(receipt.job, receipt.assignment);
  Stored((receipts_[key] = receipt).accepted_at);
  assignments_[key].state = AssignmentState::kDone;
  assignments_[key].reason.clear();
  return Status();
}

Status MemoryTables::EndReceipt(const JobId& job, AssignmentId a, ReceiptEnd end,
                                ModelVersion counted_in, const std::string& reason) {
  FED_RETURN_IF_ERROR(CheckEnd(end));
  FED_ASSIGN_OR_RETURN(const Receipt receipt, ReceiptOf(job, a));
  FED_ASSIGN_OR_RETURN(const bool open, TakesEnd(receipt, end, counted_in));
  if (open) SetEnd(receipts_[std::pair(job, a)], end, counted_in, reason);
  return Status();
}

Status MemoryTables::EndReceipts(const JobId& job, RoundId joins, ReceiptEnd end,
                                 ModelVersion counted_in, const std::string& reason) {
  FED_RETURN_IF_ERROR(CheckEnd(end));
  for (auto& [key, row] : receipts_) {
    if (row.job == job && row.joins == joins && row.end == ReceiptEnd::kOpen) {
      SetEnd(row, end, counted_in, reason);
    }
  }
  return Status();
}

Status MemoryTables::PutModel(const ModelRecord& model) {
  FED_RETURN_IF_ERROR(CheckPut(*this, model));
  Stored((models_[std::pair(model.job, model.version)] = model).created_at);
  return Status();
}

Status MemoryTables::PutEvaluation(const EvaluationRecord& evaluation) {
  FED_RETURN_IF_ERROR(CheckPut(*this, evaluation));
  evaluations_[std::pair(evaluation.job, evaluation.assignment)] = evaluation;
  return Status();
}

Status MemoryTables::PutRoundMetrics(const JobId& job, RoundId round, const Scalars& metrics) {
  FED_RETURN_IF_ERROR(CheckPutMetrics(*this, job, round, metrics));
  Scalars& row = metrics_[std::pair(job, round)];
  for (const auto& [name, value] : metrics) row[name] = value;
  return Status();
}

}  // namespace fed::server
