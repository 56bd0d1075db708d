// Hands out evaluations of a job's versions and takes their reports.
#ifndef FED_SERVER_COORDINATE_EVALUATION_DESK_H_
#define FED_SERVER_COORDINATE_EVALUATION_DESK_H_

#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/evaluations.h"
#include "server/coordinate/job_terms.h"
#include "server/store/records.h"

namespace fed::server {

// Not thread-safe: the lock of its job guards it. Blocks for its transactions. `context` outlives
// it.
class EvaluationDesk {
 public:
  EvaluationDesk(Context& context, std::shared_ptr<const JobTerms> terms);

  void AddVersion(ModelVersion version, const std::vector<EvaluationRecord>& known);
  void ForgetVersion(ModelVersion version) { evaluations_.Forget(version); }

  // Gives each waiting evaluator the newest version that it has not done, in one transaction;
  // `next` counts the job's assignments on. Nobody is drawn if it fails.
  Status Serve(AssignmentId& next);
  // Frees what nobody works on any more.
  Status Expire();

  // The open evaluation of a client that checks in again.
  std::optional<wire::Assignment> Again(const ClientId& client);
  std::optional<wire::RenewReply> Renew(const ClientId& client, const wire::RenewRequest& request);

  struct Taken {
    wire::EvaluationReply reply;
    ModelVersion version;
    bool is_new = false;  // not a report that was taken before
  };
  // kNotFound: no such evaluation of this client.
  StatusOr<Taken> Report(const ClientId& client, const wire::EvaluationReport& report,
                         bool job_is_over);
  Status Revoke(const ClientId& client);

  absl::Time next_wake() const { return evaluations_.next_wake(); }
  std::set<ModelVersion> in_use() const { return evaluations_.in_use(); }
  // At least one evaluation of it is done and none is under way.
  bool IsSettled(ModelVersion version) const {
    return evaluations_.IsDone(version) && !evaluations_.IsBeingDone(version);
  }

 private:
  StatusOr<Digest> ManifestOf(ModelVersion version) const;
  Status WriteGone(const std::vector<EvaluationRecord>& gone);

  Context& context_;
  const std::shared_ptr<const JobTerms> terms_;
  Evaluations evaluations_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_EVALUATION_DESK_H_
