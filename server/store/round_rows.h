// Rounds and their metrics in SQLite.
#ifndef FED_SERVER_STORE_ROUND_ROWS_H_
#define FED_SERVER_STORE_ROUND_ROWS_H_

#include <cstdint>
#include <vector>

#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class RoundRows {
 public:
  explicit RoundRows(Database& db) : db_(db) {}
  StatusOr<RoundRecord> Find(const JobId& job, RoundId round) const;
  StatusOr<std::vector<RoundRecord>> Active(const JobId& job) const;
  StatusOr<std::vector<RoundRecord>> Newest(const JobId& job, std::int64_t limit) const;
  StatusOr<std::int64_t> Count(const JobId& job, RoundState state) const;
  StatusOr<Scalars> Metrics(const JobId& job, RoundId round) const;
  Status Put(const RoundRecord& round);
  Status PutMetrics(const JobId& job, RoundId round, const Scalars& metrics);

 private:
  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_ROUND_ROWS_H_
