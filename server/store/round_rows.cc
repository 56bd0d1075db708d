// Rounds and their metrics in SQLite.
#include "server/store/round_rows.h"

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

// Stored as numbers: append only. Active() names the first two.
static_assert(static_cast<int>(RoundState::kOpen) == 0 &&
              static_cast<int>(RoundState::kClosing) == 1 &&
              static_cast<int>(RoundState::kPublished) == 2 &&
              static_cast<int>(RoundState::kFailed) == 3);

RoundRecord Row(const Query& query) {
  RoundRecord round;
  query.Get(round.job, round.round, round.base, round.state, round.reason, round.target_updates,
            round.opened_at, round.closed_at, round.remaining);
  return round;
}

}  // namespace

StatusOr<RoundRecord> RoundRows::Find(const JobId& job, RoundId round) const {
  Query query(db_, R"sql(
    SELECT job, round, base, state, reason, target_updates, opened_at, closed_at, remaining
    FROM rounds WHERE job = ?1 AND round = ?2)sql");
  return OneRow(query.Bind(job, round), Row, NoRound(job, round));
}

StatusOr<std::vector<RoundRecord>> RoundRows::Active(const JobId& job) const {
  Query query(db_, R"sql(
    SELECT job, round, base, state, reason, target_updates, opened_at, closed_at, remaining
    FROM rounds WHERE job = ?1 AND state IN (0, 1) ORDER BY round)sql");
  return AllRows(query.Bind(job), Row);
}

StatusOr<std::vector<RoundRecord>> RoundRows::Newest(const JobId& job, std::int64_t limit) const {
  Query query(db_, R"sql(
    SELECT job, round, base, state, reason, target_updates, opened_at, closed_at, remaining
    FROM rounds WHERE job = ?1 ORDER BY round DESC LIMIT max(?2, 0))sql");
  return AllRows(query.Bind(job, limit), Row);
}

StatusOr<std::int64_t> RoundRows::Count(const JobId& job, RoundState state) const {
  Query query(db_, "SELECT count(*) FROM rounds WHERE job = ?1 AND state = ?2");
  FED_RETURN_IF_ERROR(query.Bind(job, state).Next().status());
  std::int64_t count = 0;
  query.Get(count);
  return count;
}

StatusOr<Scalars> RoundRows::Metrics(const JobId& job, RoundId round) const {
  Query query(db_, "SELECT name, value FROM round_metrics WHERE job = ?1 AND round = ?2");
  return NamedValues<Scalars>(query.Bind(job, round));
}

Status RoundRows::Put(const RoundRecord& round) {
  Query query(db_, R"sql(
    INSERT INTO rounds
      (job, round, base, state, reason, target_updates, opened_at, closed_at, remaining)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (job, round) DO UPDATE SET
      base = ?3, state = ?4, reason = ?5, target_updates = ?6, opened_at = ?7, closed_at = ?8,
      remaining = ?9)sql");
  return query
      .Bind(round.job, round.round, round.base, round.state, round.reason, round.target_updates,
            round.opened_at, round.closed_at, round.remaining)
      .Run();
}

Status RoundRows::PutMetrics(const JobId& job, RoundId round, const Scalars& metrics) {
  for (const auto& [name, value] : metrics) {
    Query query(db_, R"sql(
      INSERT INTO round_metrics (job, round, name, value) VALUES (?1, ?2, ?3, ?4)
      ON CONFLICT (job, round, name) DO UPDATE SET value = ?4)sql");
    FED_RETURN_IF_ERROR(query.Bind(job, round, name, value).Run());
  }
  return Status();
}

}  // namespace fed::server
