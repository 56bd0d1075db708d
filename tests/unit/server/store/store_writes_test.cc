// Transactions of any store: all or nothing, snapshots, many threads.
#include <gmock/gmock.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tests/testing/store_conformance.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;

std::int64_t ExamplesOf(const StoreView& view, const std::string& client) {
  const StatusOr<ClientRecord> found = view.Client({client});
  return found.ok() ? found->examples : -1;
}

Status AddExamples(StoreEdit& edit, const std::string& client, std::int64_t more) {
  FED_ASSIGN_OR_RETURN(ClientRecord record, edit.Client({client}));
  record.examples += more;
  return edit.PutClient(record);
}

ClientRecord ClientWith(const std::string& id, std::int64_t examples) {
  ClientRecord client = TestClient(id);
  client.examples = examples;
  return client;
}

TEST_P(StoreConformance, AWriteSeesItsOwnEdits) {
  const Status status = Edit([](StoreEdit& edit) {
    FED_RETURN_IF_ERROR(edit.PutClient(ClientWith("c", 1)));
    FED_RETURN_IF_ERROR(AddExamples(edit, "c", 2));
    return ExamplesOf(edit, "c") == 3 ? Status() : Status(StatusCode::kInternal, "not seen");
  });
  EXPECT_OK(status);
}

TEST_P(StoreConformance, ABodyThatFailsLeavesNothingAndItsStatusComesOutUnchanged) {
  ASSERT_OK(Put(ClientWith("c", 1)));

  const Status status = Edit([](StoreEdit& edit) {
    FED_RETURN_IF_ERROR(AddExamples(edit, "c", 5));
    FED_RETURN_IF_ERROR(edit.PutJob(TestJob("a")));
    return Status(StatusCode::kAborted, "thought better of it");
  });

  EXPECT_THAT(status, StatusIs(StatusCode::kAborted, "thought better of it"));
  EXPECT_EQ(See([](auto& v) { return ExamplesOf(v, "c"); }), 1);
  EXPECT_THAT(See([](auto& v) { return v.Job({"a"}); }), StatusIs(StatusCode::kNotFound));
}

TEST_P(StoreConformance, ABodyMayPassOverARefusalAndKeepItsOtherEdits) {
  Seed();
  const Status status = Edit([](StoreEdit& edit) {
    if (edit.PutModel(TestModel("a", 9)).ok()) return Status(StatusCode::kInternal, "taken");
    return edit.PutClient(ClientWith("c", 1));
  });

  EXPECT_OK(status);
  EXPECT_EQ(See([](auto& v) { return ExamplesOf(v, "c"); }), 1);
}

TEST_P(StoreConformance, TheStatusOfAReadComesOut) {
  EXPECT_THAT(
      store().Read([](const StoreView&) { return Status(StatusCode::kDataLoss, "seen enough"); }),
      StatusIs(StatusCode::kDataLoss, "seen enough"));
}

TEST_P(StoreConformance, AReadKeepsItsSnapshotWhileAWriteCommits) {
  ASSERT_OK(Put(ClientWith("c", 1)));

  const Status status = store().Read([this](const StoreView& view) {
    EXPECT_EQ(ExamplesOf(view, "c"), 1);
    EXPECT_OK(Put(ClientWith("c", 2)));  // waits for no reader
    EXPECT_EQ(ExamplesOf(view, "c"), 1);
    EXPECT_EQ(See([](auto& v) { return ExamplesOf(v, "c"); }), 2);
    return Status();
  });

  EXPECT_OK(status);
}

TEST_P(StoreConformance, NobodySeesAWriteBeforeItIsCommitted) {
  ASSERT_OK(Put(ClientWith("c", 1)));

  const Status status = Edit([this](StoreEdit& edit) {
    FED_RETURN_IF_ERROR(AddExamples(edit, "c", 1));
    EXPECT_EQ(See([](auto& v) { return ExamplesOf(v, "c"); }), 1);
    return Status();
  });

  EXPECT_OK(status);
  EXPECT_EQ(See([](auto& v) { return ExamplesOf(v, "c"); }), 2);
}

// Two clients pass examples to one another: their sum is the same in every snapshot.
TEST_P(StoreConformance, ManyThreadsReadAndWriteAndTheSumsAgree) {
  constexpr int kThreads = 6, kWrites = 40;
  ASSERT_OK(Put(ClientWith("left", 1'000)));
  ASSERT_OK(Put(ClientWith("right", 0)));
  std::atomic<int> torn = 0, failed = 0, undone = 0;
  const auto write = [&](int thread) {
    for (int n = 0; n < kWrites; ++n) {
      const bool undo = (thread + n) % 5 == 0;
      const Status status = Edit([&](StoreEdit& edit) {
        FED_RETURN_IF_ERROR(AddExamples(edit, "left", -1));
        if (undo) return Status(StatusCode::kAborted, "undone");
        return AddExamples(edit, "right", 1);
      });
      if (undo && status.code() == StatusCode::kAborted) ++undone;
      if (status.ok() == undo) ++failed;
    }
  };
  const auto read = [&] {
    for (int n = 0; n < kWrites; ++n) {
      const std::int64_t sum =
          See([](auto& v) { return ExamplesOf(v, "left") + ExamplesOf(v, "right"); });
      if (sum != 1'000) ++torn;
    }
  };

  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back(write, thread);
    threads.emplace_back(read);
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(torn, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(See([](auto& v) { return ExamplesOf(v, "right"); }), kThreads * kWrites - undone);
}

// Of many threads that hand in the same update one has it taken.
TEST_P(ReceiptConformance, OfManyEqualReceiptsOneIsTaken) {
  constexpr int kThreads = 8;
  std::atomic<int> taken = 0, refused = 0;
  std::vector<std::thread> threads;
  for (int n = 0; n < kThreads; ++n) {
    threads.emplace_back([&] {
      const Status status = Add(TestReceipt(TestAssignment("a", 1, 1)));
      if (status.ok()) ++taken;
      if (status.code() == StatusCode::kAlreadyExists) ++refused;
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(taken, 1);
  EXPECT_EQ(refused, kThreads - 1);
}

}  // namespace
}  // namespace fed::server
