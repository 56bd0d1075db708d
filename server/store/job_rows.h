// Jobs in SQLite.
#ifndef FED_SERVER_STORE_JOB_ROWS_H_
#define FED_SERVER_STORE_JOB_ROWS_H_

#include <vector>

#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class JobRows {
 public:
  explicit JobRows(Database& db) : db_(db) {}
  StatusOr<JobRecord> Find(const JobId& job) const;
  StatusOr<std::vector<JobRecord>> All() const;
  Status Put(const JobRecord& job);

 private:
  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_JOB_ROWS_H_
