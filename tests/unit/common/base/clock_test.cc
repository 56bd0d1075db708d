// The real clock's promises, and the manual one's.
#include "common/base/clock.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/testing/manual_clock.h"
#include "tests/testing/manual_executor.h"

namespace fed {
namespace {

using testing::ManualClock;
using testing::ManualExecutor;

TEST(RealClockTest, NeverGoesBack) {
  absl::Time last = Clock::Real().Now();
  for (int i = 0; i < 10'000; ++i) {
    const absl::Time now = Clock::Real().Now();
    ASSERT_GE(now, last);
    last = now;
  }
}

TEST(RealClockTest, ReturnsAtOnceFromATimeThatHasPassed) {
  Mutex mu;
  CondVar changed;
  MutexLock lock(mu);
  EXPECT_FALSE(Clock::Real().AwaitUntil(
      mu, changed, [] { return false; }, absl::InfinitePast()));
  EXPECT_TRUE(Clock::Real().AwaitUntil(
      mu, changed, [] { return true; }, absl::InfinitePast()));
}

TEST(RealClockTest, GivesUpAtTheDeadline) {
  Mutex mu;
  CondVar changed;
  MutexLock lock(mu);
  const absl::Time deadline = Clock::Real().Now() + absl::Milliseconds(5);

  EXPECT_FALSE(Clock::Real().AwaitUntil(
      mu, changed, [] { return false; }, deadline));

  EXPECT_GE(Clock::Real().Now(), deadline);
}

class WaitingTest : public ::testing::TestWithParam<bool> {
 protected:
  const Clock& clock() { return GetParam() ? Clock::Real() : manual_; }

 private:
  ManualClock manual_;
};

INSTANTIATE_TEST_SUITE_P(Clocks, WaitingTest, ::testing::Bool());

TEST_P(WaitingTest, WakesWhenTheConditionComesTrue) {
  Mutex mu;
  CondVar changed;
  bool ready = false;
  std::thread other([&] {
    {
      MutexLock lock(mu);
      ready = true;
    }
    changed.notify_all();
  });

  {
    MutexLock lock(mu);
    EXPECT_TRUE(clock().AwaitUntil(
        mu, changed, [&] { return ready; }, absl::InfiniteFuture()));
  }

  other.join();
}

TEST(ManualClockTest, StandsStillUntilItIsMoved) {
  ManualClock clock(absl::FromUnixSeconds(1'000));
  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(1'000));

  clock.Advance(absl::Seconds(3));
  clock.SetWall(absl::FromUnixSeconds(5));
  clock.Advance(absl::Seconds(1));

  EXPECT_EQ(clock.Now(), absl::FromUnixSeconds(1'004));
  EXPECT_EQ(clock.WallNow(), absl::FromUnixSeconds(6));
}

TEST(ManualClockTest, WakesSleepersWhoseTimeHasCome) {
  ManualClock clock;
  Mutex mu;
  CondVar changed;
  const absl::Time start = clock.Now();
  bool held = true;
  std::thread sleeper([&] {
    MutexLock lock(mu);
    held = clock.AwaitUntil(
        mu, changed, [] { return false; }, start + absl::Seconds(10));
  });

  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(9));
  clock.AwaitSleepers(1);
  clock.Advance(absl::Seconds(1));
  sleeper.join();

  EXPECT_FALSE(held);
}

TEST(ManualClockTest, LosesNoAdvanceThatRacesWithFallingAsleep) {
  for (int i = 0; i < 300; ++i) {
    ManualClock clock;
    Mutex mu;
    CondVar changed;
    const absl::Time deadline = clock.Now() + absl::Seconds(1);
    std::thread sleeper([&] {
      MutexLock lock(mu);
      clock.AwaitUntil(
          mu, changed, [] { return false; }, deadline);
    });
    clock.Advance(absl::Seconds(1));
    sleeper.join();
  }
}

TEST(ManualExecutorTest, RunsTimedTasksWhenTheClockHasPassed) {
  ManualClock clock;
  ManualExecutor executor(clock);
  std::string order;
  executor.PostAt(clock.Now() + absl::Seconds(2), [&] { order += "2"; });
  executor.PostAt(clock.Now() + absl::Seconds(1), [&] { order += "1"; });
  executor.Post([&] {
    order += "a";
    executor.Post([&] { order += "b"; });
  });

  EXPECT_EQ(executor.RunUntilIdle(), 2);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(executor.NextTime(), clock.Now() + absl::Seconds(1));

  clock.Advance(absl::Seconds(5));
  EXPECT_TRUE(executor.RunOne());
  EXPECT_EQ(order, "ab1");
  EXPECT_EQ(executor.RunUntilIdle(), 1);
  EXPECT_EQ(order, "ab12");
  EXPECT_FALSE(executor.RunOne());
  EXPECT_EQ(executor.NextTime(), absl::InfiniteFuture());
}

}  // namespace
}  // namespace fed
