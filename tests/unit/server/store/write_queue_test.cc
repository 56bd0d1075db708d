// Writers that come during a commit share the next one.
#include "server/store/write_queue.h"

#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <string>
#include <thread>

#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;

Status Nothing(StoreEdit&) { return Status(); }

// Holds up the first commit until `enough` writers wait, then answers each write by its place.
class WriteQueueTest : public ::testing::Test {
 protected:
  void Commit(absl::Span<PendingWrite* const> writes) {
    if (sizes_.empty()) {
      while (queue_.waiting() < enough_) std::this_thread::yield();
    }
    EXPECT_FALSE(inside_.exchange(true)) << "two commits at once";
    for (PendingWrite* write : writes) {
      write->status = Status(StatusCode::kAborted, std::to_string(answered_++));
    }
    sizes_.push_back(writes.size());
    inside_ = false;
  }

  // One writer, and `others` that come while its commit is under way; all messages that came out.
  std::vector<std::string> RunWith(std::size_t others) {
    enough_ = others;
    std::vector<std::string> messages(others + 1);
    std::vector<std::thread> threads;
    for (std::string& message : messages) {
      threads.emplace_back([&] { message = queue_.Run(Nothing).message(); });
    }
    for (std::thread& thread : threads) thread.join();
    std::sort(messages.begin(), messages.end());
    return messages;
  }

  WriteQueue queue_{[this](absl::Span<PendingWrite* const> writes) { Commit(writes); }, 4};
  std::size_t enough_ = 0;
  std::atomic<bool> inside_ = false;
  int answered_ = 0;                // by Commit, one call at a time
  std::vector<std::size_t> sizes_;  // of commits
};

TEST_F(WriteQueueTest, AWriterAloneCommitsAlone) {
  EXPECT_THAT(queue_.Run(Nothing), StatusIs(StatusCode::kAborted, "0"));
  EXPECT_THAT(queue_.Run(Nothing), StatusIs(StatusCode::kAborted, "1"));
  EXPECT_THAT(sizes_, ElementsAre(1, 1));
  EXPECT_EQ(queue_.waiting(), 0u);
}

TEST_F(WriteQueueTest, ThoseThatCameDuringACommitShareTheNext) {
  EXPECT_THAT(RunWith(3), ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(sizes_, ElementsAre(1, 3));
}

TEST_F(WriteQueueTest, ACommitServesOnlySoMany) {
  EXPECT_THAT(RunWith(6), ElementsAre("0", "1", "2", "3", "4", "5", "6"));
  EXPECT_THAT(sizes_, ElementsAre(1, 4, 2));
}

}  // namespace
}  // namespace fed::server
