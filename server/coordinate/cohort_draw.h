// Takes a cohort out of the pool and into a round.
#ifndef FED_SERVER_COORDINATE_COHORT_DRAW_H_
#define FED_SERVER_COORDINATE_COHORT_DRAW_H_

#include <vector>

#include "common/crypto/digest.h"
#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/job_terms.h"
#include "server/coordinate/round_run.h"

namespace fed::server {

struct DrawOrder {
  const JobTerms& terms;
  const Digest& manifest;         // of the round's base
  std::vector<ClientId> waiting;  // to draw from
  int places = 0;
  int at_least = 1;  // fewer: nobody
};

// Draws, writes the round and its new assignments in one transaction, and only then answers the
// polls; `next` counts the job's assignments on. Returns how many were drawn: 0 if other jobs were
// faster. Nobody has left the pool if it is not OK or 0. Blocks for the transaction.
StatusOr<int> DrawFromPool(Context& context, DrawOrder order, RoundRun& round, AssignmentId& next);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_COHORT_DRAW_H_
