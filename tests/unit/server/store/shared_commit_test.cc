// One transaction for many writes: each body for itself, the commit for all.
#include "server/store/shared_commit.h"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <deque>
#include <functional>

#include "server/store/migrations.h"
#include "server/store/query.h"
#include "server/store/sqlite_tables.h"
#include "tests/testing/records.h"
#include "tests/testing/small_disk.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Body = std::function<Status(StoreEdit&)>;

Body PutJob(const std::string& id) {
  return [id](StoreEdit& edit) { return edit.PutJob(TestJob(id)); };
}

class SharedCommitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    StatusOr<std::unique_ptr<Database>> db =
        Database::Open(folder_.File("fed.db"), Durability::kFull);
    ASSERT_OK(db.status());
    db_ = *std::move(db);
    ASSERT_OK(Migrate(*db_, SchemaMigrations()));
  }

  // The status of each body; `durable_` is what CommitTogether returned.
  std::vector<Status> Run(const std::vector<Body>& bodies) {
    std::deque<PendingWrite> writes;
    std::vector<PendingWrite*> all;
    for (const Body& body : bodies) {
      all.push_back(&writes.emplace_back(body));
    }
    durable_ = CommitTogether(*db_, all);
    EXPECT_FALSE(db_->in_transaction());
    std::vector<Status> statuses;
    for (const PendingWrite& write : writes) statuses.push_back(write.status);
    return statuses;
  }

  std::vector<std::string> Jobs() {
    std::vector<std::string> ids;
    const StatusOr<std::vector<JobRecord>> jobs = SqliteTables(*db_).Jobs();
    EXPECT_OK(jobs);
    for (const JobRecord& job : *jobs) ids.push_back(job.id.value);
    return ids;
  }

  testing::TempFolder folder_;
  std::unique_ptr<Database> db_;
  int durable_ = -1;
};

TEST_F(SharedCommitTest, OneCommitServesAll) {
  EXPECT_THAT(Run({PutJob("a"), PutJob("b"), PutJob("c")}), ElementsAre(IsOk(), IsOk(), IsOk()));
  EXPECT_EQ(durable_, 3);
  EXPECT_THAT(Jobs(), ElementsAre("a", "b", "c"));
}

TEST_F(SharedCommitTest, ABodyThatFailsIsRolledBackAmongTheOthers) {
  const Body fails = [](StoreEdit& edit) {
    EXPECT_OK(edit.PutJob(TestJob("b")));
    EXPECT_OK(edit.Job({"a"}));  // earlier bodies are seen
    return Status(StatusCode::kAborted, "no");
  };
  EXPECT_THAT(Run({PutJob("a"), fails, PutJob("c")}),
              ElementsAre(IsOk(), StatusIs(StatusCode::kAborted, "no"), IsOk()));
  EXPECT_EQ(durable_, 2);
  EXPECT_THAT(Jobs(), ElementsAre("a", "c"));
}

TEST_F(SharedCommitTest, WithoutAGoodBodyThereIsNoCommit) {
  const Body fails = [](StoreEdit&) { return Status(StatusCode::kAborted, "no"); };
  EXPECT_THAT(Run({fails}), ElementsAre(StatusIs(StatusCode::kAborted, "no")));
  EXPECT_EQ(durable_, 0);
}

TEST_F(SharedCommitTest, AFailedStatementThatTheBodyPassedOverFailsIt) {
  const Body careless = [this](StoreEdit& edit) {
    EXPECT_OK(edit.PutJob(TestJob("b")));
    EXPECT_FALSE(db_->Execute("INSERT INTO nowhere VALUES (1)").ok());
    return Status();
  };
  EXPECT_THAT(Run({PutJob("a"), careless}),
              ElementsAre(IsOk(), StatusIs(StatusCode::kInternal, HasSubstr("nowhere"))));
  EXPECT_THAT(Jobs(), ElementsAre("a"));
}

TEST_F(SharedCommitTest, AfterSqliteRolledBackUnderABodyTheOthersRunAgain) {
  int runs = 0;
  const Body counted = [&](StoreEdit& edit) {
    ++runs;
    return edit.PutJob(TestJob("a"));
  };
  const Body loses = [this](StoreEdit&) { return db_->Execute("ROLLBACK"); };

  EXPECT_THAT(
      Run({counted, loses, PutJob("c")}),
      ElementsAre(IsOk(), StatusIs(StatusCode::kUnavailable, "the transaction was rolled back"),
                  IsOk()));
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(durable_, 2);
  EXPECT_THAT(Jobs(), ElementsAre("a", "c"));
}

TEST_F(SharedCommitTest, ACommitThatFailsIsUnknownToAllWhoseBodiesWereOk) {
  const Body fails = [](StoreEdit&) { return Status(StatusCode::kAborted, "no"); };
  {
    const testing::SmallDisk disk(1);
    EXPECT_THAT(
        Run({PutJob("a"), fails, PutJob("b")}),
        ElementsAre(StatusIs(StatusCode::kUnknown, HasSubstr("may have happened all the same")),
                    StatusIs(StatusCode::kAborted, "no"), StatusIs(StatusCode::kUnknown)));
  }
  EXPECT_EQ(durable_, 0);
  EXPECT_THAT(Run({PutJob("c")}), ElementsAre(IsOk()));  // the connection is none the worse
}

// More than SQLite's cache holds is written out before the commit.
TEST_F(SharedCommitTest, ADiskThatIsFullInABodyFailsThatBodyOnly) {
  const Body large = [](StoreEdit& edit) {
    JobRecord job = TestJob("large");
    for (int n = 0; n < 16; ++n) {
      job.id.value += "x";
      job.spec.assign(1 << 20, 's');
      FED_RETURN_IF_ERROR(edit.PutJob(job));
    }
    return Status();
  };
  const testing::SmallDisk disk(1 << 20);

  const std::vector<Status> statuses = Run({PutJob("a"), large, PutJob("c")});

  EXPECT_THAT(statuses, ElementsAre(IsOk(),
                                    AnyOf(StatusIs(StatusCode::kResourceExhausted),
                                          StatusIs(StatusCode::kUnavailable)),
                                    IsOk()));
  EXPECT_THAT(Jobs(), ElementsAre("a", "c"));
}

TEST_F(SharedCommitTest, AnotherProcessesLockIsUnavailable) {
  ASSERT_OK_AND_ASSIGN(const auto other, Database::Open(folder_.File("fed.db"), Durability::kFull));
  ASSERT_OK(other->Execute("BEGIN IMMEDIATE"));
  ASSERT_OK(db_->Execute("PRAGMA busy_timeout = 1"));

  EXPECT_THAT(Run({PutJob("a"), PutJob("b")}),
              ElementsAre(StatusIs(StatusCode::kUnavailable, HasSubstr("locked")),
                          StatusIs(StatusCode::kUnavailable)));
  ASSERT_OK(other->Execute("ROLLBACK"));
  EXPECT_THAT(Run({PutJob("a")}), ElementsAre(IsOk()));
}

}  // namespace
}  // namespace fed::server
