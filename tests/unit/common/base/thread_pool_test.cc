// Order, time and the end of a pool.
#include "common/base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "tests/testing/manual_clock.h"

namespace fed {
namespace {

using testing::ManualClock;

TEST(ThreadPoolTest, RunsTasksInTheOrderOfPosting) {
  ManualClock clock;
  std::string order;
  std::promise<void> done;
  ThreadPool pool("test", 1, clock);

  for (const char c : std::string("abcdef")) pool.Post([&order, c] { order += c; });
  pool.Post([&] { done.set_value(); });
  done.get_future().wait();

  EXPECT_EQ(order, "abcdef");
}

TEST(ThreadPoolTest, RunsAsManyTasksAtOnceAsItHasThreads) {
  ManualClock clock;
  ThreadPool pool("test", 3, clock);
  std::promise<void> all_here;
  std::atomic<int> here = 0;
  std::shared_future<void> meeting = all_here.get_future().share();

  std::vector<std::promise<void>> left(3);
  for (std::promise<void>& one : left) {
    pool.Post([&] {
      if (++here == 3) all_here.set_value();
      meeting.wait();  // for ever, if two shared a thread
      one.set_value();
    });
  }

  for (std::promise<void>& one : left) one.get_future().wait();
}

TEST(ThreadPoolTest, RunsTimedTasksByTimeAndNotBefore) {
  ManualClock clock;
  const absl::Time start = clock.Now();
  std::string order;
  std::promise<void> done;
  ThreadPool pool("test", 1, clock);
  pool.PostAt(start + absl::Seconds(2), [&] { order += "2"; });
  pool.PostAt(start + absl::Seconds(1), [&] { order += "1"; });
  pool.PostAt(start + absl::Seconds(3), [&] { done.set_value(); });
  std::promise<void> untimed;
  pool.Post([&] {
    order += "0";
    untimed.set_value();
  });
  untimed.get_future().wait();

  clock.Advance(absl::Seconds(3));
  done.get_future().wait();

  EXPECT_EQ(order, "012");
}

TEST(ThreadPoolTest, NoticesATaskThatIsDueBeforeTheOneItWaitsFor) {
  ManualClock clock;
  std::promise<void> done;
  ThreadPool pool("test", 2, clock);
  pool.PostAt(clock.Now() + absl::Hours(1), [] {});
  clock.AwaitSleepers(2);

  pool.PostAt(clock.Now() + absl::Seconds(1), [&] { done.set_value(); });
  clock.AwaitSleepers(2);
  clock.Advance(absl::Seconds(1));

  done.get_future().wait();
}

TEST(ThreadPoolTest, WorksWithTheMachinesClock) {
  std::promise<void> done;
  ThreadPool pool("test", 1, Clock::Real());
  pool.PostAt(Clock::Real().Now() + absl::Milliseconds(2), [&] { done.set_value(); });
  done.get_future().wait();
}

TEST(ThreadPoolTest, DropsWhatWaitsWhenItEnds) {
  ManualClock clock;
  std::atomic<bool> ran = false;
  auto held = std::make_shared<int>(1);
  {
    ThreadPool pool("test", 1, clock);
    pool.PostAt(clock.Now() + absl::Hours(1), [&ran, held] { ran = true; });
    clock.Advance(absl::Minutes(59));
  }
  EXPECT_FALSE(ran);
  EXPECT_EQ(held.use_count(), 1) << "a dropped task lets go of what it held";
}

TEST(ThreadPoolTest, LetsRunningTasksEnd) {
  ManualClock clock;
  std::promise<void> started;
  std::atomic<bool> ended = false;
  {
    ThreadPool pool("test", 1, clock);
    pool.Post([&] {
      started.set_value();
      for (int i = 0; i < 100; ++i) std::this_thread::yield();
      ended = true;
    });
    started.get_future().wait();
  }
  EXPECT_TRUE(ended);
}

TEST(ThreadPoolTest, IsPostedToFromManyThreads) {
  ManualClock clock;
  std::atomic<int> ran = 0;
  constexpr int kEach = 2'000;
  std::promise<void> done;
  ThreadPool pool("stress", 4, clock);
  std::vector<std::thread> posters;
  for (int i = 0; i < 4; ++i) {
    posters.emplace_back([&] {
      for (int k = 0; k < kEach; ++k) {
        const auto task = [&] {
          if (++ran == 4 * kEach) done.set_value();
        };
        if (k % 2 == 0) {
          pool.Post(task);
        } else {
          pool.PostAt(clock.Now(), task);
        }
      }
    });
  }
  for (std::thread& poster : posters) poster.join();
  done.get_future().wait();
  EXPECT_EQ(ran, 4 * kEach);
}

}  // namespace
}  // namespace fed
