// Rows and terms as an assignment on the wire.
#include "server/coordinate/assignment_factory.h"

#include <algorithm>

#include "server/round/cohort.h"

namespace fed::server {
namespace {

wire::Assignment Common(const JobTerms& terms, const Digest& manifest, absl::Duration remaining) {
  wire::Assignment made;
  made.manifest = manifest;
  made.patterns = terms.spec.model.patterns;
  made.plan = terms.plan;
  made.remaining = std::max(remaining, absl::ZeroDuration());
  made.renew_every = terms.spec.rounds.renew_every;
  return made;
}

}  // namespace

wire::Assignment MakeAssignment(const JobTerms& terms, const AssignmentRecord& row,
                                const Digest& manifest, absl::Duration remaining) {
  wire::Assignment made = Common(terms, manifest, remaining);
  made.ref = {row.job, row.assignment};
  made.purpose = wire::Purpose::kTrain;
  made.round = row.round;
  made.base = row.base;
  made.config = ConfigOfRound(terms.spec, row.round);
  made.codec = row.codec;
  for (const GroupSpec& group : terms.spec.groups) made.update_groups.push_back(group.name);
  std::sort(made.update_groups.begin(), made.update_groups.end());
  made.scalars = terms.scalars;
  made.seed = TrainingSeed(terms.spec.rounds.seed, row.round, row.client);
  return made;
}

wire::Assignment MakeAssignment(const JobTerms& terms, const EvaluationRecord& row,
                                const Digest& manifest, absl::Duration remaining) {
  wire::Assignment made = Common(terms, manifest, remaining);
  made.ref = {row.job, row.assignment};
  made.purpose = wire::Purpose::kEvaluate;
  made.base = row.version;
  made.config = terms.spec.training;
  return made;
}

}  // namespace fed::server
