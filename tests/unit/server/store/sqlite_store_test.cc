// What only the store on disk does: outlive its process, share commits, stop after an unknown one.
#include "server/store/sqlite_store.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <thread>
#include <vector>

#include "tests/testing/records.h"
#include "tests/testing/small_disk.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::HasSubstr;

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<Store> Open(const std::function<void(int)>& on_commit = nullptr) {
    SqliteStoreOptions options;
    options.path = folder_.File("fed.db");
    options.on_commit = on_commit;
    StatusOr<std::unique_ptr<Store>> store = OpenSqliteStore(options);
    EXPECT_OK(store.status());
    return *std::move(store);
  }

  testing::TempFolder folder_;
};

Status PutJob(Store& store, const std::string& id) {
  return store.Write([&](StoreEdit& edit) { return edit.PutJob(TestJob(id)); });
}

// One of every kind of row.
Status PutAll(StoreEdit& edit) {
  FED_RETURN_IF_ERROR(edit.PutJob(TestJob("a")));
  FED_RETURN_IF_ERROR(edit.PutClient(TestClient("c")));
  FED_RETURN_IF_ERROR(edit.PutEnrollToken(TestToken("h")));
  FED_RETURN_IF_ERROR(edit.PutCertificate(TestCertificate("01", "c")));
  FED_RETURN_IF_ERROR(edit.PutRound(TestRound("a", 1)));
  FED_RETURN_IF_ERROR(edit.PutAssignment(TestAssignment("a", 1, 1)));
  FED_RETURN_IF_ERROR(edit.AddReceipt(TestReceipt(TestAssignment("a", 1, 1))));
  FED_RETURN_IF_ERROR(edit.PutModel(TestModel("a", 0)));
  FED_RETURN_IF_ERROR(edit.PutEvaluation(TestEvaluation("a", 2, 0)));
  return edit.PutRoundMetrics({"a"}, {1}, {{"train_loss", 0.1}});
}

Status ExpectAll(const StoreView& view) {
  EXPECT_EQ(*view.Job({"a"}), TestJob("a"));
  EXPECT_EQ(*view.Client({"c"}), TestClient("c"));
  EXPECT_EQ(*view.EnrollToken("h"), TestToken("h"));
  EXPECT_EQ(*view.CertificateOf("token of 01", "key of 01"), TestCertificate("01", "c"));
  EXPECT_EQ(*view.Round({"a"}, {1}), TestRound("a", 1));
  EXPECT_EQ(view.Assignment({"a"}, {1})->state, AssignmentState::kDone);
  EXPECT_EQ(*view.ReceiptOf({"a"}, {1}), TestReceipt(TestAssignment("a", 1, 1)));
  EXPECT_EQ(*view.LatestModel({"a"}), TestModel("a", 0));
  EXPECT_EQ(*view.Evaluation({"a"}, {2}), TestEvaluation("a", 2, 0));
  EXPECT_EQ(*view.RoundMetrics({"a"}, {1}), (Scalars{{"train_loss", 0.1}}));
  return Status();
}

TEST_F(SqliteStoreTest, AllIsThereAfterOpeningAgain) {
  ASSERT_OK(Open()->Write(PutAll));
  EXPECT_OK(Open()->Read(ExpectAll));
}

// The files as they lie there when the process is killed: the log was not copied back yet.
TEST_F(SqliteStoreTest, AllIsThereAfterTheProcessDied) {
  const auto killed = Open();
  ASSERT_OK(killed->Write(PutAll));
  const testing::TempFolder left;
  for (const char* name : {"fed.db", "fed.db-wal"}) {
    ASSERT_TRUE(std::filesystem::copy_file(folder_.File(name), left.File(name)));
  }

  SqliteStoreOptions options;
  options.path = left.File("fed.db");
  ASSERT_OK_AND_ASSIGN(const auto store, OpenSqliteStore(options));

  EXPECT_OK(store->Read(ExpectAll));
}

TEST_F(SqliteStoreTest, SaysHowManyWritesACommitServed) {
  std::vector<int> served;
  const auto store = Open([&](int writes) { served.push_back(writes); });
  ASSERT_OK(PutJob(*store, "a"));
  ASSERT_OK(PutJob(*store, "b"));
  EXPECT_FALSE(store->Write([](StoreEdit&) { return Status(StatusCode::kAborted, ""); }).ok());
  EXPECT_EQ(served, std::vector<int>({1, 1}));
}

// Which writers meet is up to the machine, so it tries until some have.
TEST_F(SqliteStoreTest, WritersOnManyThreadsShareCommits) {
  constexpr int kThreads = 4, kWrites = 25, kTries = 1'000;
  std::atomic<int> commits = 0, writes = 0;
  const auto store = Open([&](int served) {
    ++commits;
    writes += served;
  });

  int expected = 0;
  for (int n = 0; n < kTries && commits == writes; ++n) {
    std::vector<std::thread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&store, thread] {
        for (int write = 0; write < kWrites; ++write) {
          EXPECT_OK(PutJob(*store, absl::StrCat("job-", thread, "-", write)));
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    expected += kThreads * kWrites;
  }

  EXPECT_EQ(writes, expected);
  EXPECT_LT(commits, writes);
}

TEST_F(SqliteStoreTest, AfterACommitThatMayHaveHappenedNothingMoreIsWritten) {
  auto store = Open();
  ASSERT_OK(PutJob(*store, "before"));
  {
    const testing::SmallDisk disk(1);
    EXPECT_THAT(PutJob(*store, "lost"), StatusIs(StatusCode::kUnknown));
  }

  EXPECT_THAT(
      PutJob(*store, "after"),
      StatusIs(StatusCode::kUnavailable, "an earlier commit failed: the process must restart"));

  store.reset();
  store = Open();  // the restart: look what is there, and go on
  EXPECT_OK(store->Read([](const StoreView& view) { return view.Job({"before"}).status(); }));
  EXPECT_THAT(store->Read([](const StoreView& view) { return view.Job({"after"}).status(); }),
              StatusIs(StatusCode::kNotFound));
  EXPECT_OK(PutJob(*store, "after"));
}

TEST_F(SqliteStoreTest, MoreReadsAtOnceThanConnectionsAreKept) {
  const auto store = Open();
  ASSERT_OK(PutJob(*store, "a"));
  const std::function<Status(int)> nested = [&](int depth) {
    return store->Read([&](const StoreView& view) {
      FED_RETURN_IF_ERROR(view.Job({"a"}).status());
      return depth == 0 ? Status() : nested(depth - 1);
    });
  };
  EXPECT_OK(nested(20));
  EXPECT_OK(nested(20));
}

TEST_F(SqliteStoreTest, AFileThatIsNoDatabaseIsRefused) {
  SqliteStoreOptions options;
  options.path = folder_.path();
  EXPECT_FALSE(OpenSqliteStore(options).ok());
}

}  // namespace
}  // namespace fed::server
