// Jobs in SQLite.
#include "server/store/job_rows.h"

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

// Stored as numbers: append only.
static_assert(static_cast<int>(JobState::kDraft) == 0 &&
              static_cast<int>(JobState::kRunning) == 1 &&
              static_cast<int>(JobState::kPaused) == 2 &&
              static_cast<int>(JobState::kCompleted) == 3 &&
              static_cast<int>(JobState::kStopped) == 4);

JobRecord Row(const Query& query) {
  JobRecord job;
  query.Get(job.id, job.spec, job.spec_source, job.plan, job.plan_source, job.state, job.reason,
            job.failed_in_a_row, job.created_at);
  return job;
}

}  // namespace

StatusOr<JobRecord> JobRows::Find(const JobId& job) const {
  Query query(db_, R"sql(
    SELECT job, spec, spec_source, plan, plan_source, state, reason, failed_in_a_row, created_at
    FROM jobs WHERE job = ?1)sql");
  return OneRow(query.Bind(job), Row, NoJob(job));
}

StatusOr<std::vector<JobRecord>> JobRows::All() const {
  Query query(db_, R"sql(
    SELECT job, spec, spec_source, plan, plan_source, state, reason, failed_in_a_row, created_at
    FROM jobs ORDER BY job)sql");
  return AllRows(query, Row);
}

Status JobRows::Put(const JobRecord& job) {
  Query query(db_, R"sql(
    INSERT INTO jobs
      (job, spec, spec_source, plan, plan_source, state, reason, failed_in_a_row, created_at)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT (job) DO UPDATE SET
      spec = ?2, spec_source = ?3, plan = ?4, plan_source = ?5, state = ?6, reason = ?7,
      failed_in_a_row = ?8, created_at = ?9)sql");
  return query
      .Bind(job.id, job.spec, job.spec_source, job.plan, job.plan_source, job.state, job.reason,
            job.failed_in_a_row, job.created_at)
      .Run();
}

}  // namespace fed::server
