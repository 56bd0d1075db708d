// The store's rows in SQLite: which table answers what.
#include "server/store/sqlite_tables.h"

#include "server/store/assignment_rows.h"
#include "server/store/client_rows.h"
#include "server/store/enrollment_rows.h"
#include "server/store/evaluation_rows.h"
#include "server/store/job_rows.h"
#include "server/store/model_rows.h"
#include "server/store/receipt_rows.h"
#include "server/store/round_rows.h"
#include "server/store/store_rules.h"

namespace fed::server {

StatusOr<JobRecord> SqliteTables::Job(const JobId& job) const { return JobRows(db_).Find(job); }

StatusOr<std::vector<JobRecord>> SqliteTables::Jobs() const { return JobRows(db_).All(); }

StatusOr<ClientRecord> SqliteTables::Client(const ClientId& id) const {
  return ClientRows(db_).Find(id);
}

StatusOr<std::vector<ClientRecord>> SqliteTables::Clients(std::int64_t limit) const {
  return ClientRows(db_).First(limit);
}

StatusOr<std::vector<ClientRecord>> SqliteTables::ClientsByPrefix(absl::string_view prefix) const {
  return ClientRows(db_).ByPrefix(prefix);
}

StatusOr<EnrollTokenRecord> SqliteTables::EnrollToken(absl::string_view hash) const {
  return EnrollmentRows(db_).FindToken(hash);
}

StatusOr<std::vector<CertificateRecord>> SqliteTables::Certificates(const ClientId& client) const {
  return EnrollmentRows(db_).CertificatesOf(client);
}

StatusOr<CertificateRecord> SqliteTables::CertificateOf(absl::string_view token_hash,
                                                        absl::string_view key_digest) const {
  return EnrollmentRows(db_).FindCertificate(token_hash, key_digest);
}

StatusOr<RoundRecord> SqliteTables::Round(const JobId& job, RoundId round) const {
  return RoundRows(db_).Find(job, round);
}

StatusOr<std::vector<RoundRecord>> SqliteTables::ActiveRounds(const JobId& job) const {
  return RoundRows(db_).Active(job);
}

StatusOr<std::vector<RoundRecord>> SqliteTables::Rounds(const JobId& job,
                                                        std::int64_t limit) const {
  return RoundRows(db_).Newest(job, limit);
}

StatusOr<std::int64_t> SqliteTables::CountRounds(const JobId& job, RoundState state) const {
  return RoundRows(db_).Count(job, state);
}

StatusOr<AssignmentRecord> SqliteTables::Assignment(const JobId& job, AssignmentId a) const {
  return AssignmentRows(db_).Find(job, a);
}

StatusOr<std::vector<AssignmentRecord>> SqliteTables::Assignments(const JobId& job,
                                                                  RoundId r) const {
  return AssignmentRows(db_).OfRound(job, r);
}

StatusOr<AssignmentId> SqliteTables::LastAssignment(const JobId& job) const {
  return AssignmentRows(db_).Last(job);
}

StatusOr<Receipt> SqliteTables::ReceiptOf(const JobId& job, AssignmentId a) const {
  return ReceiptRows(db_).Find(job, a);
}

StatusOr<std::vector<Receipt>> SqliteTables::Receipts(const JobId& job, RoundId joins) const {
  return ReceiptRows(db_).OfRound(job, joins);
}

StatusOr<std::vector<Receipt>> SqliteTables::OpenReceipts() const {
  return ReceiptRows(db_).Open();
}

StatusOr<bool> SqliteTables::HasOpenReceipt(const JobId& job, const ClientId& client) const {
  return ReceiptRows(db_).HasOpen(job, client);
}

StatusOr<ModelRecord> SqliteTables::Model(const JobId& job, ModelVersion version) const {
  return ModelRows(db_).Find(job, version);
}

StatusOr<ModelRecord> SqliteTables::LatestModel(const JobId& job) const {
  return ModelRows(db_).Latest(job);
}

StatusOr<std::vector<ModelRecord>> SqliteTables::Models(const JobId& job) const {
  return ModelRows(db_).Of(job);
}

StatusOr<bool> SqliteTables::IsBlobNamed(absl::string_view digest) const {
  return ModelRows(db_).IsBlobNamed(digest);
}

StatusOr<EvaluationRecord> SqliteTables::Evaluation(const JobId& job, AssignmentId a) const {
  return EvaluationRows(db_).Find(job, a);
}

StatusOr<std::vector<EvaluationRecord>> SqliteTables::Evaluations(const JobId& job,
                                                                  ModelVersion version) const {
  return EvaluationRows(db_).OfVersion(job, version);
}

StatusOr<Scalars> SqliteTables::RoundMetrics(const JobId& job, RoundId round) const {
  return RoundRows(db_).Metrics(job, round);
}

Status SqliteTables::PutJob(const JobRecord& job) { return JobRows(db_).Put(job); }

Status SqliteTables::PutClient(const ClientRecord& client) { return ClientRows(db_).Put(client); }

Status SqliteTables::PutEnrollToken(const EnrollTokenRecord& token) {
  return EnrollmentRows(db_).PutToken(token);
}

Status SqliteTables::PutCertificate(const CertificateRecord& certificate) {
  FED_RETURN_IF_ERROR(CheckPut(*this, certificate));
  return EnrollmentRows(db_).PutCertificate(certificate);
}

Status SqliteTables::PutRound(const RoundRecord& round) {
  FED_RETURN_IF_ERROR(CheckPut(*this, round));
  return RoundRows(db_).Put(round);
}

Status SqliteTables::PutAssignment(const AssignmentRecord& assignment) {
  FED_RETURN_IF_ERROR(CheckPut(*this, assignment));
  return AssignmentRows(db_).Put(assignment);
}

Status SqliteTables::AddReceipt(const Receipt& receipt) {
  FED_RETURN_IF_ERROR(CheckAdd(*this, receipt));
  FED_RETURN_IF_ERROR(ReceiptRows(db_).Add(receipt));
  return AssignmentRows(db_).SetDone(receipt.job, receipt.assignment);
}

Status SqliteTables::EndReceipt(const JobId& job, AssignmentId a, ReceiptEnd end,
                                ModelVersion counted_in, const std::string& reason) {
  FED_RETURN_IF_ERROR(CheckEnd(end));
  FED_ASSIGN_OR_RETURN(const Receipt receipt, ReceiptOf(job, a));
  FED_ASSIGN_OR_RETURN(const bool open, TakesEnd(receipt, end, counted_in));
  return open ? ReceiptRows(db_).End(job, a, {end, counted_in, reason}) : Status();
}

Status SqliteTables::EndReceipts(const JobId& job, RoundId joins, ReceiptEnd end,
                                 ModelVersion counted_in, const std::string& reason) {
  FED_RETURN_IF_ERROR(CheckEnd(end));
  return ReceiptRows(db_).EndAll(job, joins, {end, counted_in, reason});
}

Status SqliteTables::PutModel(const ModelRecord& model) {
  FED_RETURN_IF_ERROR(CheckPut(*this, model));
  return ModelRows(db_).Put(model);
}

Status SqliteTables::PutEvaluation(const EvaluationRecord& evaluation) {
  FED_RETURN_IF_ERROR(CheckPut(*this, evaluation));
  return EvaluationRows(db_).Put(evaluation);
}

Status SqliteTables::PutRoundMetrics(const JobId& job, RoundId round, const Scalars& metrics) {
  FED_RETURN_IF_ERROR(CheckPutMetrics(*this, job, round, metrics));
  return RoundRows(db_).PutMetrics(job, round, metrics);
}

}  // namespace fed::server
