// Jobs, rounds and clients for the tests of what operators see.
#ifndef FED_TESTS_UNIT_SERVER_RPC_ADMIN_WORLD_H_
#define FED_TESTS_UNIT_SERVER_RPC_ADMIN_WORLD_H_

#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "server/rpc/admin_views.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/records.h"
#include "tests/testing/status_matchers.h"
#include "tests/unit/server/rpc/fake_coordinator.h"

namespace fed::server {

inline std::string SpecOf(const std::string& job) {
  return "id = \"" + job + "\"\n[model]\nplan = \"p.toml\"\n[rounds]\ncount = 7\ncohort = 3\n";
}

class AdminWorld : public ::testing::Test {
 protected:
  // A job with version 0, which the coordinator knows.
  void AddJob(const std::string& id, JobState state = JobState::kRunning) {
    JobRecord job = TestJob(id);
    job.spec = SpecOf(id);
    job.state = state;
    Put(&StoreEdit::PutJob, job);
    Put(&StoreEdit::PutModel, TestModel(id, 0));
    coordinator_.jobs[job.id] = LiveJob();
  }

  // A round that has made version `round`, of a job whose latest version is the one before.
  void AddPublishedRound(const std::string& job, std::int64_t round) {
    RoundRecord record = TestRound(job, round);
    record.state = RoundState::kPublished;
    record.closed_at = TestTime(10 * round + 5);
    Put(&StoreEdit::PutRound, record);
    Put(&StoreEdit::PutModel, TestModel(job, round));
  }

  template <typename Record>
  void Put(Status (StoreEdit::*put)(const Record&), const Record& record) {
    ASSERT_OK(store_.Write([&](StoreEdit& edit) { return (edit.*put)(record); }));
  }

  MemoryStore store_;
  FakeCoordinator coordinator_;
  const AdminViews views_{store_, coordinator_};
};

}  // namespace fed::server

#endif  // FED_TESTS_UNIT_SERVER_RPC_ADMIN_WORLD_H_
