// One scenario, once for every place at which something can fail: a call, its reply, the disk, the
// process, the power.
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "tests/unit/client_sdk/session/session_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::FakeServer;
using ::fed::testing::IsOk;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class SessionFaultTest : public SessionFixture {
 protected:
  SessionFaultTest() { script_.rounds = 2; }

  // What must hold however the run went: each round's update arrived once, with the same bytes.
  void ExpectTheUndisturbedRun() {
    const auto taken = server_->taken();
    ASSERT_THAT(taken, SizeIs(2));
    if (expected_.empty()) expected_ = taken;
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(taken[i].ref, expected_[i].ref);
      EXPECT_EQ(taken[i].bytes, expected_[i].bytes);
    }
    EXPECT_THAT(*files_.List("/state/outbox"), IsEmpty());
  }

  void BeginAnew() {
    KillDevice();
    record_ = {};
    for (const char* folder : {"/state/outbox", "/state/local", "/state/cache"}) {
      const auto names = files_.List(folder);
      if (!names.ok()) continue;
      for (const std::string& name : *names) ASSERT_OK(files_.Remove(JoinPath(folder, name)));
    }
    MakeServer();
  }

  std::vector<FakeServer::Taken> expected_;
};

TEST_F(SessionFaultTest, EveryCallMayFailOnce) {
  for (const bool reply_lost : {false, true}) {
    for (std::int64_t n = 1;; ++n) {
      SCOPED_TRACE(n);
      BeginAnew();
      server_->FailAt(n, reply_lost ? FakeServer::ReplyLost() : FakeServer::Unavailable());
      ASSERT_THAT(RunDevice(), IsOk());
      ExpectTheUndisturbedRun();
      EXPECT_EQ(record_.trainings, 2);  // nothing is trained twice
      if (server_->calls() < n) break;
    }
  }
}

TEST_F(SessionFaultTest, EveryCodeThatIsRepeatedIs) {
  for (const StatusCode code :
       {StatusCode::kUnavailable, StatusCode::kDeadlineExceeded, StatusCode::kResourceExhausted,
        StatusCode::kUnknown, StatusCode::kCancelled, StatusCode::kAborted}) {
    for (std::int64_t n = 1; n <= 8; ++n) {
      SCOPED_TRACE(n);
      BeginAnew();
      server_->FailAt(n, {Status(code, "fault"), false});
      ASSERT_THAT(RunDevice(), IsOk());
      EXPECT_THAT(server_->taken(), SizeIs(2));
    }
  }
}

TEST_F(SessionFaultTest, AServerThatIsAwayForAWhileIsWaitedFor) {
  for (int n = 0; n < 40; ++n) {
    SCOPED_TRACE(n);
    BeginAnew();
    StartDevice();
    for (int i = 0; i < n && !ended_; ++i) executor_->RunOne();
    server_->SetDown(true);
    const absl::Time back = clock_.Now() + absl::Minutes(3);
    RunUntil([&] { return clock_.Now() > back; });
    server_->SetDown(false);
    ASSERT_THAT(RunToTheEnd(), IsOk());
    ExpectTheUndisturbedRun();
  }
}

TEST_F(SessionFaultTest, TheProcessMayDieAtAnyStep) {
  for (const bool power_cut : {false, true}) {
    for (int n = 0;; ++n) {
      SCOPED_TRACE(n);
      BeginAnew();
      StartDevice();
      for (int i = 0; i < n && !ended_; ++i) {
        if (!executor_->RunOne()) clock_.Advance(executor_->NextTime() - clock_.Now());
      }
      const bool was_over = ended_.has_value();
      KillDevice();
      if (power_cut) files_.Crash();
      if (was_over) break;
      ASSERT_THAT(RunDevice(), IsOk());
      ExpectTheUndisturbedRun();
    }
  }
}

TEST_F(SessionFaultTest, EveryWriteToTheDiskMayFailOnce) {
  for (std::int64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    BeginAnew();
    const std::int64_t before = files_.writing_calls();
    files_.FailAt(n, StatusCode::kResourceExhausted);
    ASSERT_THAT(RunDevice(), IsOk());
    ExpectTheUndisturbedRun();
    if (files_.writing_calls() - before < n) break;
  }
  files_.FailAt(0);
}

}  // namespace
}  // namespace fed::client
