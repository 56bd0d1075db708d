// Every job that can run, by id.
#ifndef FED_SERVER_COORDINATE_JOB_LIST_H_
#define FED_SERVER_COORDINATE_JOB_LIST_H_

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "server/coordinate/job_runner.h"

namespace fed::server {

// Thread-safe. Jobs are added, never removed: one that has ended still says so.
class JobList {
 public:
  void Add(std::shared_ptr<JobRunner> job) {
    MutexLock lock(mu_);
    jobs_.emplace(job->terms().spec.id, std::move(job));
  }
  std::shared_ptr<JobRunner> Find(const JobId& id) const {  // null: none
    MutexLock lock(mu_);
    const auto at = jobs_.find(id);
    return at == jobs_.end() ? nullptr : at->second;
  }
  std::vector<std::shared_ptr<JobRunner>> All() const {  // by id
    std::vector<std::shared_ptr<JobRunner>> all;
    MutexLock lock(mu_);
    for (const auto& [id, job] : jobs_) all.push_back(job);
    return all;
  }

 private:
  mutable Mutex mu_;
  std::map<JobId, std::shared_ptr<JobRunner>> jobs_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_JOB_LIST_H_
