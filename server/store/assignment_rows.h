// Assignments of rounds in SQLite.
#ifndef FED_SERVER_STORE_ASSIGNMENT_ROWS_H_
#define FED_SERVER_STORE_ASSIGNMENT_ROWS_H_

#include <vector>

#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class AssignmentRows {
 public:
  explicit AssignmentRows(Database& db) : db_(db) {}
  StatusOr<AssignmentRecord> Find(const JobId& job, AssignmentId assignment) const;
  StatusOr<std::vector<AssignmentRecord>> OfRound(const JobId& job, RoundId round) const;
  // Of rounds and evaluations.
  StatusOr<AssignmentId> Last(const JobId& job) const;
  Status Put(const AssignmentRecord& assignment);
  Status SetDone(const JobId& job, AssignmentId assignment);

 private:
  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_ASSIGNMENT_ROWS_H_
