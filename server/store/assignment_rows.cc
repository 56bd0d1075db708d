// Assignments of rounds in SQLite.
#include "server/store/assignment_rows.h"

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

// Stored as numbers: append only.
static_assert(static_cast<int>(AssignmentState::kAssigned) == 0 &&
              static_cast<int>(AssignmentState::kDone) == 1 &&
              static_cast<int>(AssignmentState::kRejected) == 2 &&
              static_cast<int>(AssignmentState::kGone) == 3);

AssignmentRecord Row(const Query& query) {
  AssignmentRecord assignment;
  query.Get(assignment.job, assignment.assignment, assignment.round, assignment.client,
            assignment.base, assignment.codec, assignment.remaining, assignment.state,
            assignment.reason);
  return assignment;
}

}  // namespace

StatusOr<AssignmentRecord> AssignmentRows::Find(const JobId& job, AssignmentId assignment) const {
  Query query(db_, R"sql(
    SELECT job, assignment, round, client, base, codec, remaining, state, reason
    FROM assignments WHERE job = ?1 AND assignment = ?2)sql");
  return OneRow(query.Bind(job, assignment), Row, NoAssignment(job, assignment));
}

StatusOr<std::vector<AssignmentRecord>> AssignmentRows::OfRound(const JobId& job,
                                                                RoundId round) const {
  Query query(db_, R"sql(
    SELECT job, assignment, round, client, base, codec, remaining, state, reason
    FROM assignments WHERE job = ?1 AND round = ?2 ORDER BY assignment)sql");
  return AllRows(query.Bind(job, round), Row);
}

StatusOr<AssignmentId> AssignmentRows::Last(const JobId& job) const {
  Query query(db_, R"sql(
    SELECT max((SELECT coalesce(max(assignment), 0) FROM assignments WHERE job = ?1),
               (SELECT coalesce(max(assignment), 0) FROM evaluations WHERE job = ?1)))sql");
  FED_RETURN_IF_ERROR(query.Bind(job).Next().status());
  AssignmentId last;
  query.Get(last);
  return last;
}

Status AssignmentRows::Put(const AssignmentRecord& assignment) {
  Query query(db_, R"sql(
    INSERT INTO assignments
      (job, assignment, round, client, base, codec, remaining, state, reason)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (job, assignment) DO UPDATE SET
      round = ?3, client = ?4, base = ?5, codec = ?6, remaining = ?7, state = ?8,
      reason = ?9)sql");
  return query
      .Bind(assignment.job, assignment.assignment, assignment.round, assignment.client,
            assignment.base, assignment.codec, assignment.remaining, assignment.state,
            assignment.reason)
      .Run();
}

Status AssignmentRows::SetDone(const JobId& job, AssignmentId assignment) {
  Query query(db_, R"sql(
    UPDATE assignments SET state = ?3, reason = '' WHERE job = ?1 AND assignment = ?2)sql");
  return query.Bind(job, assignment, AssignmentState::kDone).Run();
}

}  // namespace fed::server
