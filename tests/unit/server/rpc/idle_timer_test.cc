// When a stream on which nothing moves is ended.
#include "server/rpc/idle_timer.h"

#include <memory>
#include <optional>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/manual_executor.h"

namespace fed::server {
namespace {

constexpr absl::Duration kLimit = absl::Minutes(1);

class IdleTimerTest : public ::testing::Test {
 protected:
  void Start() {
    timer_.emplace(executor_, clock_, kLimit, [this] { ++expired_; });
  }

  // Returns how many timers fired.
  int Pass(absl::Duration time) {
    clock_.Advance(time);
    return executor_.RunUntilIdle();
  }

  fed::testing::ManualClock clock_;
  fed::testing::ManualExecutor executor_{clock_};
  int expired_ = 0;
  std::optional<IdleTimer> timer_;
};

TEST_F(IdleTimerTest, ExpiresOnceWhenTheLimitHasPassed) {
  Start();
  Pass(kLimit - absl::Nanoseconds(1));
  EXPECT_EQ(expired_, 0);
  Pass(absl::Nanoseconds(1));
  EXPECT_EQ(expired_, 1);
  Pass(absl::Hours(10));
  EXPECT_EQ(expired_, 1);
  EXPECT_EQ(executor_.NextTime(), absl::InfiniteFuture()) << "nothing is left to run";
}

TEST_F(IdleTimerTest, WaitsTheWholeLimitAfterTheLastTouch) {
  Start();
  Pass(absl::Seconds(50));
  timer_->Touch();
  Pass(absl::Seconds(59));
  EXPECT_EQ(expired_, 0);
  Pass(absl::Seconds(1));
  EXPECT_EQ(expired_, 1);
}

TEST_F(IdleTimerTest, SetsOneTimerHoweverMuchMoves) {
  Start();
  int fired = 0;
  for (int i = 0; i < 600; ++i) {  // 10 minutes in which something moves each second
    timer_->Touch();
    fired += Pass(absl::Seconds(1));
  }
  EXPECT_EQ(expired_, 0);
  EXPECT_LE(fired, 11) << "about one look a limit";
}

TEST_F(IdleTimerTest, ATouchAfterwardsBringsNothingBack) {
  Start();
  Pass(kLimit);
  timer_->Touch();
  EXPECT_EQ(Pass(absl::Hours(1)), 0);
  EXPECT_EQ(expired_, 1);
}

TEST_F(IdleTimerTest, ATimerThatIsGoneDoesNotExpire) {
  Start();
  timer_.reset();
  Pass(kLimit);
  EXPECT_EQ(expired_, 0);
  EXPECT_EQ(executor_.NextTime(), absl::InfiniteFuture()) << "it does not look again";
}

TEST_F(IdleTimerTest, ATimerThatIsGoneHoldsOnToNothing) {
  auto stream = std::make_shared<int>();
  timer_.emplace(executor_, clock_, kLimit, [stream] {});
  EXPECT_EQ(stream.use_count(), 2);
  timer_.reset();
  EXPECT_EQ(stream.use_count(), 1) << "though the executor's task still waits";
}

TEST_F(IdleTimerTest, MayBeDestroyedByWhatItCalls) {
  timer_.emplace(executor_, clock_, kLimit, [this] {
    ++expired_;
    timer_.reset();
  });
  Pass(kLimit);
  EXPECT_EQ(expired_, 1);
}

}  // namespace
}  // namespace fed::server
