// Who evaluates which version of a job.
#ifndef FED_SERVER_COORDINATE_EVALUATIONS_H_
#define FED_SERVER_COORDINATE_EVALUATIONS_H_

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/round/job_spec.h"
#include "server/store/records.h"

namespace fed::server {

// Pure; not thread-safe. Each evaluator gets the newest due version that it has not done; one that
// gives no sign of life frees the version, and its report is taken all the same.
class Evaluations {
 public:
  struct Open {
    EvaluationRecord row;
    absl::Time deadline, lease_ends;
  };

  // `lease` zero: none.
  Evaluations(EvaluationSpec spec, std::int64_t last_version, absl::Duration lease)
      : spec_(spec), last_version_(last_version), lease_(lease) {}

  // A version that is there, with what is known of it; no longer: Forget.
  void Add(ModelVersion version, const std::vector<EvaluationRecord>& known, absl::Time now);
  void Forget(ModelVersion version);

  std::optional<ModelVersion> NextFor(const ClientId& evaluator) const;
  void Begin(const EvaluationRecord& row, absl::Time now);

  // The client's open one; null: none.
  const Open* OpenOf(const ClientId& client) const;
  // Whether it was open; a new lease then.
  bool Renew(const ClientId& client, AssignmentId assignment, absl::Time now);
  void Finish(const EvaluationRecord& row);
  std::optional<EvaluationRecord> Drop(const ClientId& client);  // as GONE
  std::vector<EvaluationRecord> Expire(absl::Time now);          // as GONE

  absl::Time next_wake() const;
  std::set<ModelVersion> in_use() const;
  bool IsDone(ModelVersion version) const { return done_versions_.contains(version); }
  bool IsBeingDone(ModelVersion version) const;

 private:
  bool IsDue(ModelVersion version) const;
  void Hold(Open& open, absl::Time now);

  EvaluationSpec spec_;
  std::int64_t last_version_;
  absl::Duration lease_;
  std::set<ModelVersion> versions_;  // due and kept
  std::set<std::pair<ClientId, ModelVersion>> done_;
  std::set<ModelVersion> done_versions_;
  std::map<ClientId, Open> open_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_EVALUATIONS_H_
