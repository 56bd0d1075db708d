// Which action leads from where to where: one table.
#include "server/coordinate/job_change.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "server/coordinate/round_ledger.h"

namespace fed::server {
namespace {

struct Transition {
  const char* action;
  JobState from, to;
};

constexpr std::array<Transition, 7> kTransitions = {{
    {"start", JobState::kDraft, JobState::kRunning},
    {"pause", JobState::kRunning, JobState::kPaused},
    {"resume", JobState::kPaused, JobState::kRunning},
    {"complete", JobState::kRunning, JobState::kCompleted},
    {"stop", JobState::kDraft, JobState::kStopped},
    {"stop", JobState::kRunning, JobState::kStopped},
    {"stop", JobState::kPaused, JobState::kStopped},
}};

}  // namespace

const char* JobStateName(JobState state) {
  switch (state) {
    case JobState::kDraft:
      return "DRAFT";
    case JobState::kRunning:
      return "RUNNING";
    case JobState::kPaused:
      return "PAUSED";
    case JobState::kCompleted:
      return "COMPLETED";
    case JobState::kStopped:
      return "STOPPED";
  }
  return "?";
}

StatusOr<JobRecord> ChangeJob(Context& context, const JobId& job, const std::string& action,
                              const std::string& reason) {
  const StatusOr<JobRecord> changed = EditJob(context, job, [&](JobRecord& row) -> Status {
    const auto* found = std::find_if(
        kTransitions.begin(), kTransitions.end(),
        [&](const Transition& t) { return t.action == action && t.from == row.state; });
    if (found == kTransitions.end()) {
      return Status(StatusCode::kFailedPrecondition,
                    absl::StrCat("can not ", action, " job \"", job.value, "\": it is ",
                                 JobStateName(row.state)));
    }
    row.state = found->to;
    row.reason = reason;
    if (found->to == JobState::kRunning) row.failed_in_a_row = 0;
    return Status();
  });
  if (!changed.ok()) return changed;
  context.parts.log.Info(
      "job.changed",
      {{"job", job.value}, {"state", JobStateName(changed->state)}, {"reason", reason}});
  return changed;
}

}  // namespace fed::server
