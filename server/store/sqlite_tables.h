// The store's rows in SQLite, through one connection.
#ifndef FED_SERVER_STORE_SQLITE_TABLES_H_
#define FED_SERVER_STORE_SQLITE_TABLES_H_

#include <string>
#include <vector>

#include "server/store/database.h"
#include "server/store/store.h"

namespace fed::server {

// Asks the rules, then the rows of the table. A view or an edit of whatever transaction is open on
// the connection, which outlives it.
class SqliteTables final : public StoreEdit {
 public:
  explicit SqliteTables(Database& db) : db_(db) {}

  StatusOr<JobRecord> Job(const JobId& job) const override;
  StatusOr<std::vector<JobRecord>> Jobs() const override;

  StatusOr<ClientRecord> Client(const ClientId& id) const override;
  StatusOr<std::vector<ClientRecord>> Clients(std::int64_t limit) const override;
  StatusOr<std::vector<ClientRecord>> ClientsByPrefix(absl::string_view prefix) const override;
  StatusOr<EnrollTokenRecord> EnrollToken(absl::string_view hash) const override;
  StatusOr<std::vector<CertificateRecord>> Certificates(const ClientId& client) const override;
  StatusOr<CertificateRecord> CertificateOf(absl::string_view token_hash,
                                            absl::string_view key_digest) const override;

  StatusOr<RoundRecord> Round(const JobId& job, RoundId round) const override;
  StatusOr<std::vector<RoundRecord>> ActiveRounds(const JobId& job) const override;
  StatusOr<std::vector<RoundRecord>> Rounds(const JobId& job, std::int64_t limit) const override;
  StatusOr<std::int64_t> CountRounds(const JobId& job, RoundState state) const override;

  StatusOr<AssignmentRecord> Assignment(const JobId& job, AssignmentId a) const override;
  StatusOr<std::vector<AssignmentRecord>> Assignments(const JobId& job, RoundId r) const override;
  StatusOr<AssignmentId> LastAssignment(const JobId& job) const override;

  StatusOr<Receipt> ReceiptOf(const JobId& job, AssignmentId a) const override;
  StatusOr<std::vector<Receipt>> Receipts(const JobId& job, RoundId joins) const override;
  StatusOr<std::vector<Receipt>> OpenReceipts() const override;
  StatusOr<bool> HasOpenReceipt(const JobId& job, const ClientId& client) const override;

  StatusOr<ModelRecord> Model(const JobId& job, ModelVersion version) const override;
  StatusOr<ModelRecord> LatestModel(const JobId& job) const override;
  StatusOr<std::vector<ModelRecord>> Models(const JobId& job) const override;
  StatusOr<bool> IsBlobNamed(absl::string_view digest) const override;

  StatusOr<EvaluationRecord> Evaluation(const JobId& job, AssignmentId a) const override;
  StatusOr<std::vector<EvaluationRecord>> Evaluations(const JobId& job,
                                                      ModelVersion version) const override;
  StatusOr<Scalars> RoundMetrics(const JobId& job, RoundId round) const override;

  Status PutJob(const JobRecord& job) override;
  Status PutClient(const ClientRecord& client) override;
  Status PutEnrollToken(const EnrollTokenRecord& token) override;
  Status PutCertificate(const CertificateRecord& certificate) override;
  Status PutRound(const RoundRecord& round) override;
  Status PutAssignment(const AssignmentRecord& assignment) override;

  Status AddReceipt(const Receipt& receipt) override;
  Status EndReceipt(const JobId& job, AssignmentId a, ReceiptEnd end, ModelVersion counted_in,
                    const std::string& reason) override;
  Status EndReceipts(const JobId& job, RoundId joins, ReceiptEnd end, ModelVersion counted_in,
                     const std::string& reason) override;

  Status PutModel(const ModelRecord& model) override;
  Status PutEvaluation(const EvaluationRecord& evaluation) override;
  Status PutRoundMetrics(const JobId& job, RoundId round, const Scalars& metrics) override;

 private:
  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_SQLITE_TABLES_H_
