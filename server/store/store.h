// The server's memory across restarts. SQLite in production, a map in tests.
// It holds what is small; parameters, optimizer state and updates are files that it names by
// digest.
#ifndef FED_SERVER_STORE_STORE_H_
#define FED_SERVER_STORE_STORE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "fed/status.h"
#include "server/store/records.h"

namespace fed::server {

// A consistent view; valid only inside the callback that received it. What there is none of:
// kNotFound where one is asked for, an empty list where several are. Lists are sorted by id,
// ascending, unless said otherwise.
class StoreView {
 public:
  virtual ~StoreView() = default;

  virtual StatusOr<JobRecord> Job(const JobId& job) const = 0;
  virtual StatusOr<std::vector<JobRecord>> Jobs() const = 0;

  virtual StatusOr<ClientRecord> Client(const ClientId& id) const = 0;
  virtual StatusOr<std::vector<ClientRecord>> Clients(std::int64_t limit) const = 0;
  virtual StatusOr<std::vector<ClientRecord>> ClientsByPrefix(absl::string_view prefix) const = 0;
  virtual StatusOr<EnrollTokenRecord> EnrollToken(absl::string_view hash) const = 0;
  virtual StatusOr<std::vector<CertificateRecord>> Certificates(const ClientId& client) const = 0;
  virtual StatusOr<CertificateRecord> CertificateOf(absl::string_view token_hash,
                                                    absl::string_view key_digest) const = 0;

  virtual StatusOr<RoundRecord> Round(const JobId& job, RoundId round) const = 0;
  virtual StatusOr<std::vector<RoundRecord>> ActiveRounds(
      const JobId& job) const = 0;  // OPEN, CLOSING
  virtual StatusOr<std::vector<RoundRecord>> Rounds(const JobId& job,
                                                    std::int64_t limit) const = 0;  // newest first
  virtual StatusOr<std::int64_t> CountRounds(const JobId& job, RoundState state) const = 0;

  virtual StatusOr<AssignmentRecord> Assignment(const JobId& job, AssignmentId a) const = 0;
  virtual StatusOr<std::vector<AssignmentRecord>> Assignments(const JobId& job,
                                                              RoundId r) const = 0;
  // The highest id given so far, to rounds and evaluations; 0: none.
  virtual StatusOr<AssignmentId> LastAssignment(const JobId& job) const = 0;

  virtual StatusOr<Receipt> ReceiptOf(const JobId& job, AssignmentId a) const = 0;
  virtual StatusOr<std::vector<Receipt>> Receipts(const JobId& job, RoundId joins) const = 0;
  // Of all jobs, with no end yet: what recovery looks at.
  virtual StatusOr<std::vector<Receipt>> OpenReceipts() const = 0;
  virtual StatusOr<bool> HasOpenReceipt(const JobId& job, const ClientId& client) const = 0;

  virtual StatusOr<ModelRecord> Model(const JobId& job, ModelVersion version) const = 0;
  virtual StatusOr<ModelRecord> LatestModel(const JobId& job) const = 0;
  virtual StatusOr<std::vector<ModelRecord>> Models(const JobId& job) const = 0;
  // Whether a kept version of any job names this file.
  virtual StatusOr<bool> IsBlobNamed(absl::string_view digest) const = 0;

  virtual StatusOr<EvaluationRecord> Evaluation(const JobId& job, AssignmentId a) const = 0;
  virtual StatusOr<std::vector<EvaluationRecord>> Evaluations(const JobId& job,
                                                              ModelVersion version) const = 0;
  // Of a round: "train_loss", "seconds", "bytes_up", ... Empty: none.
  virtual StatusOr<Scalars> RoundMetrics(const JobId& job, RoundId round) const = 0;
};

class StoreEdit : public StoreView {
 public:
  virtual Status PutJob(const JobRecord& job) = 0;
  virtual Status PutClient(const ClientRecord& client) = 0;
  virtual Status PutEnrollToken(const EnrollTokenRecord& token) = 0;
  virtual Status PutCertificate(const CertificateRecord& certificate) = 0;
  virtual Status PutRound(const RoundRecord& round) = 0;
  virtual Status PutAssignment(const AssignmentRecord& assignment) = 0;

  // Sets the assignment DONE, too. kAlreadyExists: this assignment has a receipt. kAborted: the
  // round that it would join is not OPEN; the update does not count. kNotFound: no such assignment.
  // kFailedPrecondition: the assignment is REJECTED.
  virtual Status AddReceipt(const Receipt& receipt) = 0;
  // Ends one receipt, or every OPEN one of a round. An end is final: kFailedPrecondition if the
  // one receipt has another end already.
  virtual Status EndReceipt(const JobId& job, AssignmentId a, ReceiptEnd end,
                            ModelVersion counted_in, const std::string& reason) = 0;
  virtual Status EndReceipts(const JobId& job, RoundId joins, ReceiptEnd end,
                             ModelVersion counted_in, const std::string& reason) = 0;

  // A new version: kFailedPrecondition unless it is the latest + 1 (0 for the first). A version
  // that is there may only be put again with another `kept`.
  virtual Status PutModel(const ModelRecord& model) = 0;
  virtual Status PutEvaluation(const EvaluationRecord& evaluation) = 0;
  virtual Status PutRoundMetrics(const JobId& job, RoundId round,
                                 const Scalars& metrics) = 0;  // merges
};

// Thread-safe; writers queue up behind one another and may share a commit, readers never wait.
class Store {
 public:
  virtual ~Store() = default;

  virtual Status Read(absl::FunctionRef<Status(const StoreView&)> body) const = 0;

  // OK: all of `body` is on disk. A non-OK status from `body` rolls back its own edits only, and
  // comes out unchanged. kUnknown: the commit may have happened; the process must exit and look
  // after the restart. `body` may run more than once, so it has no effects but its edits.
  virtual Status Write(absl::FunctionRef<Status(StoreEdit&)> body) = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_STORE_H_
