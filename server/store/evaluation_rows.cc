// Evaluations of versions and their scalars in SQLite.
#include "server/store/evaluation_rows.h"

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

// Stored as numbers: append only.
static_assert(static_cast<int>(EvaluationState::kAssigned) == 0 &&
              static_cast<int>(EvaluationState::kDone) == 1 &&
              static_cast<int>(EvaluationState::kGone) == 2);

EvaluationRecord Row(const Query& query) {
  EvaluationRecord evaluation;
  query.Get(evaluation.job, evaluation.assignment, evaluation.version, evaluation.client,
            evaluation.state);
  return evaluation;
}

}  // namespace

StatusOr<EvaluationRecord> EvaluationRows::Find(const JobId& job, AssignmentId assignment) const {
  Query query(db_, R"sql(
    SELECT job, assignment, version, client, state
    FROM evaluations WHERE job = ?1 AND assignment = ?2)sql");
  FED_ASSIGN_OR_RETURN(EvaluationRecord evaluation,
                       OneRow(query.Bind(job, assignment), Row, NoEvaluation(job, assignment)));
  FED_ASSIGN_OR_RETURN(evaluation.scalars, ScalarsOf(evaluation));
  return evaluation;
}

StatusOr<std::vector<EvaluationRecord>> EvaluationRows::OfVersion(const JobId& job,
                                                                  ModelVersion version) const {
  Query query(db_, R"sql(
    SELECT job, assignment, version, client, state
    FROM evaluations WHERE job = ?1 AND version = ?2 ORDER BY assignment)sql");
  FED_ASSIGN_OR_RETURN(std::vector<EvaluationRecord> rows, AllRows(query.Bind(job, version), Row));
  for (EvaluationRecord& row : rows) {
    FED_ASSIGN_OR_RETURN(row.scalars, ScalarsOf(row));
  }
  return rows;
}

Status EvaluationRows::Put(const EvaluationRecord& evaluation) {
  {
    Query query(db_, R"sql(
      INSERT INTO evaluations (job, assignment, version, client, state)
      VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (job, assignment) DO UPDATE SET version = ?3, client = ?4, state = ?5)sql");
    query.Bind(evaluation.job, evaluation.assignment, evaluation.version, evaluation.client,
               evaluation.state);
    FED_RETURN_IF_ERROR(query.Run());
  }
  {
    Query query(db_, "DELETE FROM evaluation_scalars WHERE job = ?1 AND assignment = ?2");
    FED_RETURN_IF_ERROR(query.Bind(evaluation.job, evaluation.assignment).Run());
  }
  for (const auto& [name, value] : evaluation.scalars) {
    Query query(db_, R"sql(
      INSERT INTO evaluation_scalars (job, assignment, name, value)
      VALUES (?1, ?2, ?3, ?4))sql");
    FED_RETURN_IF_ERROR(query.Bind(evaluation.job, evaluation.assignment, name, value).Run());
  }
  return Status();
}

StatusOr<Scalars> EvaluationRows::ScalarsOf(const EvaluationRecord& evaluation) const {
  Query query(db_, R"sql(
    SELECT name, value FROM evaluation_scalars WHERE job = ?1 AND assignment = ?2)sql");
  return NamedValues<Scalars>(query.Bind(evaluation.job, evaluation.assignment));
}

}  // namespace fed::server
