// A job as the operator wrote it: job.toml, read and checked in this one place.
#ifndef FED_SERVER_ROUND_JOB_SPEC_H_
#define FED_SERVER_ROUND_JOB_SPEC_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/role.h"
#include "common/tensor/flat_layout.h"
#include "fed/model_plan.h"
#include "fed/status.h"

namespace fed::server {

// [model]: where version 0 comes from. One of `plan` and `file`, or both: a plan with values from a
// file (transfer learning).
struct ModelSpec {
  std::string plan;  // path, read by fedctl, relative to job.toml; empty: none
  std::string file;  // path of a safetensors file; empty: drawn by the plan's initializer
  std::uint64_t seed = 0;
  RolePatterns patterns;  // frozen, local
};

// How an update group moves its version group. [strategy] says it for "delta" and the defaults of
// each further [[group]].
struct GroupSpec {
  std::string name;                    // of the update's group: "delta", "control"
  std::string aggregator;              // empty: the strategy's (aggregate/strategy_table Compose)
  std::string weighting = "examples";  // or "uniform": theta = 1/N sum theta_i
  std::string optimizer;               // empty: the strategy's
  double server_learning_rate = 1.0;
  std::string version_group() const { return name == "delta" ? "model" : name; }
};

// [rounds]
struct RoundsSpec {
  std::int64_t count = 0;       // rounds to publish
  int cohort = 0;               // updates wanted: the target
  double over_selection = 1.0;  // places = ceil(cohort * this); 1.3 in Google's system
  int min_updates = 0;          // default: the cohort
  absl::Duration time_limit = absl::Minutes(10);         // from the draw
  absl::Duration client_time_limit = absl::Minutes(10);  // of one assignment; default: time_limit
  absl::Duration renew_every = absl::Seconds(5);         // zero: no renewals (offline devices)
  absl::Duration lease = absl::Seconds(15);  // GONE after this without one; default: 3 renewals
  int pool_min = 0;                          // default: the places
  absl::Duration selection_timeout = absl::Minutes(1);  // then a draw with at least min_updates
  int max_failed = 5;                                   // in a row; then the job is PAUSED
  absl::Duration backoff_first = absl::Seconds(1);      // after a failed round
  absl::Duration backoff_longest = absl::Minutes(5);
  std::uint64_t seed = 0;  // of the cohorts and the trainings
  int places() const;
};

// [evaluation]
struct EvaluationSpec {
  int every = 1;                              // rounds; 0: never. The last version always, if > 0
  absl::Duration timeout = absl::Minutes(2);  // of one evaluation; of the last one, too
};

// [retention]: which versions' files are kept, beside those in use.
struct RetentionSpec {
  int last = 3;
  int every = 0;                  // each k-th; 0: none
  std::string best = "accuracy";  // the version with the highest of this scalar ("-loss": the
                                  // lowest loss); empty: none
};

// [allow]: who may train. Evaluators evaluate whatever stands here, and train never.
struct AllowSpec {
  std::vector<Role> roles = {Role::kClient};
  std::map<std::string, std::string> labels;  // all must be equal
};

struct JobSpec {
  JobId id;
  ModelSpec model;
  std::string strategy = "fedavg";        // a row of the strategy table
  std::vector<GroupSpec> groups;          // "delta" first, then as written
  std::map<std::string, Value> training;  // [training]: hyper-parameters, passed on as they are
  double learning_rate_decay = 1.0;       // [schedule]: learning_rate * decay^(round - 1)
  std::vector<std::string> codecs = {"fp32"};  // that the server takes, best first
  double max_update_norm = 0;                  // 0: none; above it an update is refused
  std::int64_t max_examples = 1'000'000'000;   // bound on the scalar that weighs
  RoundsSpec rounds;
  EvaluationSpec evaluation;
  RetentionSpec retention;
  AllowSpec allow;
};

// kInvalidArgument: "job.toml:12: unknown key in [rounds] 'cohrt'; known: count, cohort, ... (did
// you mean 'cohort'?)" and the like, for unknown keys, wrong types, values out of range, parts that
// can't go together. Names of strategies, aggregators and optimizers are checked by Compose.
// job.sample.toml documents every key.
StatusOr<JobSpec> ParseJobSpec(absl::string_view toml, absl::string_view source);

// The hyper-parameters of one round: the schedule applied.
std::map<std::string, Value> ConfigOfRound(const JobSpec& spec, RoundId round);

}  // namespace fed::server

#endif  // FED_SERVER_ROUND_JOB_SPEC_H_
