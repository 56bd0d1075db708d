// Which versions keep their files.
#ifndef FED_SERVER_COORDINATE_RETENTION_H_
#define FED_SERVER_COORDINATE_RETENTION_H_

#include <map>
#include <set>
#include <vector>

#include "common/base/ids.h"
#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/round/job_spec.h"
#include "server/store/records.h"

namespace fed::server {

// Pure: the last `last` of `versions` (at least the newest), each `every`-th, the best by `scores`
// (the newer one of two that are equal), and those in use.
std::set<ModelVersion> VersionsToKeep(const RetentionSpec& spec,
                                      const std::set<ModelVersion>& versions,
                                      const std::map<ModelVersion, double>& scores,
                                      const std::set<ModelVersion>& in_use);

// One version's score: the mean over its finished evaluations of the scalar that `best` names;
// false: none. Higher is better, also for "-loss".
bool ScoreOf(const RetentionSpec& spec, const std::vector<EvaluationRecord>& evaluations,
             double* score);

// Writes kept = false where it no longer applies, then removes the files that nobody names any
// more. Returns the versions let go. Blocking. Nothing is removed if the transaction fails.
StatusOr<std::vector<ModelVersion>> Retain(Context& context, const JobSpec& spec,
                                           const std::set<ModelVersion>& in_use);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_RETENTION_H_
