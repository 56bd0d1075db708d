// The states of a job: DRAFT -> RUNNING <-> PAUSED(reason) -> COMPLETED | STOPPED.
#ifndef FED_SERVER_COORDINATE_JOB_CHANGE_H_
#define FED_SERVER_COORDINATE_JOB_CHANGE_H_

#include <string>

#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/store/records.h"

namespace fed::server {

const char* JobStateName(JobState state);  // "RUNNING"
inline bool HasEnded(JobState state) {
  return state == JobState::kCompleted || state == JobState::kStopped;
}

// `action` is how it came to be: "start", "pause", "resume", "stop", "complete". Writes the row and
// returns it. kFailedPrecondition: not from the state that it is in. Blocks for a transaction.
StatusOr<JobRecord> ChangeJob(Context& context, const JobId& job, const std::string& action,
                              const std::string& reason);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_JOB_CHANGE_H_
