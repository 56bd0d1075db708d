// The transactions of a round's life but for the last one, which is the publisher's.
#ifndef FED_SERVER_COORDINATE_ROUND_LEDGER_H_
#define FED_SERVER_COORDINATE_ROUND_LEDGER_H_

#include <functional>
#include <string>
#include <vector>

#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/store/records.h"

namespace fed::server {

// How an assignment changes without an update.
struct MemberChange {
  AssignmentId assignment;
  ClientId client;
  AssignmentState state = AssignmentState::kGone;  // GONE, REJECTED; ASSIGNED: it came back
  std::string reason;
  bool discard_receipt = false;  // end its receipt, if it has one, DISCARDED with the reason
};

// All of these block for one transaction. Codes are the store's.

// A draw: the round's row (OPEN, the same again with each replacement) and its new assignments.
Status WriteDraw(Context& context, const RoundRecord& round,
                 const std::vector<AssignmentRecord>& drawn);

// A row that is DONE keeps its state whatever the change, and one that is REJECTED, too: the update
// was first. Clients' failures are counted here.
Status WriteChanges(Context& context, const JobId& job, const std::vector<MemberChange>& changes);

// CLOSING, with the changes that are not written yet; returns how many receipts are the round's
// set. Clients' rounds are counted here.
StatusOr<int> WriteClosing(Context& context, const RoundRecord& round,
                           const std::vector<MemberChange>& changes);

// FAILED with round.reason, every open receipt DISCARDED with it, and the job's row changed.
Status WriteFailed(Context& context, const RoundRecord& round,
                   const std::function<void(JobRecord&)>& change_job);

// Reads, changes and writes the job's row; returns what is written.
StatusOr<JobRecord> EditJob(Context& context, const JobId& job,
                            const std::function<Status(JobRecord&)>& change);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_ROUND_LEDGER_H_
