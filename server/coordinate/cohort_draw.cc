// Out of the pool, into the store, then the answers.
#include "server/coordinate/cohort_draw.h"

#include <algorithm>
#include <utility>

#include "server/coordinate/assignment_factory.h"
#include "server/round/cohort.h"

namespace fed::server {
namespace {

std::vector<AssignmentRecord> RowsOf(const std::vector<Pool::Entry>& entries, const JobTerms& terms,
                                     const RoundRun& round, AssignmentId next, absl::Time now) {
  std::vector<AssignmentRecord> rows;
  for (const Pool::Entry& entry : entries) {
    AssignmentRecord row;
    row.job = terms.spec.id;
    row.assignment = next;
    row.round = round.row().round;
    row.client = entry.poll->device().caller.id;
    row.base = round.row().base;
    row.codec = ChooseCodec(terms, entry.poll->device().request.abilities);
    row.remaining = std::min(terms.policy.client_time_limit, round.round().deadline() - now);
    rows.push_back(std::move(row));
    ++next.value;
  }
  return rows;
}

}  // namespace

StatusOr<int> DrawFromPool(Context& context, DrawOrder order, RoundRun& round, AssignmentId& next) {
  const JobTerms& terms = order.terms;
  const Draw draw{terms.spec.rounds.seed, round.row().round, round.next_draw()};
  std::vector<Pool::Entry> entries =
      context.pool.Take(DrawCohort(draw, std::move(order.waiting), order.places));
  if (static_cast<int>(entries.size()) < order.at_least) {
    context.ReturnToPool(std::move(entries));
    return 0;
  }
  const absl::Time now = context.parts.clock.Now();
  const std::vector<AssignmentRecord> rows = RowsOf(entries, terms, round, next, now);
  if (const Status status = round.Add(rows, now); !status.ok()) {
    context.ReturnToPool(std::move(entries));
    return status;
  }
  next.value += static_cast<std::int64_t>(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    wire::CheckInReply reply;
    reply.work = MakeAssignment(terms, rows[i], order.manifest, rows[i].remaining);
    entries[i].poll->Answer(std::move(reply));
  }
  return static_cast<int>(rows.size());
}

}  // namespace fed::server
