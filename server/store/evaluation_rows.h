// Evaluations of versions and their scalars in SQLite.
#ifndef FED_SERVER_STORE_EVALUATION_ROWS_H_
#define FED_SERVER_STORE_EVALUATION_ROWS_H_

#include <vector>

#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class EvaluationRows {
 public:
  explicit EvaluationRows(Database& db) : db_(db) {}
  StatusOr<EvaluationRecord> Find(const JobId& job, AssignmentId assignment) const;
  StatusOr<std::vector<EvaluationRecord>> OfVersion(const JobId& job, ModelVersion version) const;
  Status Put(const EvaluationRecord& evaluation);

 private:
  StatusOr<Scalars> ScalarsOf(const EvaluationRecord& evaluation) const;

  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_EVALUATION_ROWS_H_
