// What the store and the disk know of the work when the server starts.
#ifndef FED_SERVER_COORDINATE_RECOVERY_H_
#define FED_SERVER_COORDINATE_RECOVERY_H_

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/job_terms.h"
#include "server/round/round.h"
#include "server/store/records.h"

namespace fed::server {

struct SavedRound {
  RoundRecord row;
  std::vector<AssignmentRecord> members;
  Round::Saved saved;
  int receipts = 0;  // that are open: its set, once it is CLOSING
};

// A job as its rows say; one just made has no past, and is read in the same way.
struct SavedJob {
  JobRecord job;
  std::shared_ptr<const JobTerms> terms;
  ModelRecord latest;
  std::int64_t published = 0;
  RoundId last_round;
  AssignmentId last_assignment;
  std::map<ModelVersion, std::vector<EvaluationRecord>> evaluations;  // of the kept versions
  std::optional<SavedRound> round;                                    // OPEN or CLOSING
};

// Blocking. kDataLoss, kInvalidArgument, kNotFound: this job cannot go on; others can.
StatusOr<SavedJob> ReadSavedJob(Context& context, const JobRecord& job);

// Removes the spool of assignments that await nothing: no open receipt, and no update that may
// still come in.
Status SweepSpool(Context& context);

// Removes version files that no row names: of a job that was not made to its end, of a fold that
// will be done again, of a version that was let go.
Status SweepBlobs(Context& context);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_RECOVERY_H_
