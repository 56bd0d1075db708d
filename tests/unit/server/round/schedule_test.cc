// Between two rounds: what a job does next.
#include "server/round/schedule.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::server {
namespace {

using ::testing::AllOf;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::VariantWith;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

JobSpec TenRounds() {
  JobSpec spec;
  spec.rounds.count = 10;
  spec.rounds.cohort = 5;
  spec.rounds.min_updates = 2;
  spec.rounds.pool_min = 5;
  spec.rounds.max_failed = 4;
  spec.rounds.backoff_first = absl::Seconds(1);
  spec.rounds.backoff_longest = absl::Seconds(3);
  spec.rounds.selection_timeout = absl::Minutes(1);
  return spec;
}

// Five devices wait since noon.
Between Ready() {
  Between state;
  state.last_ended = absl::InfinitePast();
  state.waiting = 5;
  state.waiting_since = kNoon;
  return state;
}

auto WaitsUntil(absl::Time until, const char* why) {
  return VariantWith<Wait>(AllOf(Field(&Wait::until, until), Field(&Wait::why, HasSubstr(why))));
}
auto Opens() { return VariantWith<OpenRound>(::testing::_); }

TEST(ScheduleTest, OpensARoundOnceEnoughDevicesWait) {
  EXPECT_THAT(Decide(TenRounds(), Ready(), kNoon), Opens());
}

TEST(ScheduleTest, FinishesAfterTheLastRoundWhoeverWaits) {
  Between state = Ready();
  state.published = 10;
  EXPECT_THAT(Decide(TenRounds(), state, kNoon), VariantWith<Finish>(::testing::_));
  state.published = 9;
  EXPECT_THAT(Decide(TenRounds(), state, kNoon), Opens());
}

TEST(ScheduleTest, WaitsForThePoolUntilTheSelectionTimeout) {
  Between state = Ready();
  state.waiting = 2;
  const absl::Time timeout = kNoon + absl::Minutes(1);
  EXPECT_THAT(Decide(TenRounds(), state, kNoon), WaitsUntil(timeout, "2 of 5 are here"));
  EXPECT_THAT(Decide(TenRounds(), state, timeout - absl::Nanoseconds(1)),
              WaitsUntil(timeout, "waiting for devices"));
  EXPECT_THAT(Decide(TenRounds(), state, timeout), Opens());
}

TEST(ScheduleTest, NeverOpensWithFewerThanTheMinimum) {
  Between state = Ready();
  state.waiting = 1;
  EXPECT_THAT(Decide(TenRounds(), state, kNoon + absl::Hours(9)),
              WaitsUntil(absl::InfiniteFuture(), "needs at least 2"));
}

TEST(ScheduleTest, WaitsForTheFirstDeviceWithoutATime) {
  Between state = Ready();
  state.waiting = 0;
  state.waiting_since = absl::InfiniteFuture();
  EXPECT_THAT(Decide(TenRounds(), state, kNoon),
              WaitsUntil(absl::InfiniteFuture(), "0 of 5 are here"));
}

// Who was not drawn waits on; the others are on their way back.
TEST(ScheduleTest, CountsTheTimeoutFromTheEndOfTheRoundBefore) {
  Between state = Ready();
  state.waiting = 3;
  state.last_ended = kNoon + absl::Minutes(10);
  EXPECT_THAT(Decide(TenRounds(), state, kNoon + absl::Minutes(10)),
              WaitsUntil(kNoon + absl::Minutes(11), "3 of 5"));
}

TEST(ScheduleTest, BacksOffLongerAfterEachFailureUpToTheLongest) {
  for (const auto& [failed, seconds] : {std::pair{1, 1}, std::pair{2, 2}, std::pair{3, 3}}) {
    Between state = Ready();
    state.failed_in_a_row = failed;
    state.last_ended = kNoon;
    const absl::Time until = kNoon + absl::Seconds(seconds);
    EXPECT_THAT(Decide(TenRounds(), state, kNoon), WaitsUntil(until, "failed round"));
    EXPECT_THAT(Decide(TenRounds(), state, until), Opens());
  }
}

TEST(ScheduleTest, PausesAfterTooManyFailuresInARow) {
  Between state = Ready();
  state.failed_in_a_row = 4;
  state.last_ended = kNoon;
  EXPECT_THAT(Decide(TenRounds(), state, kNoon),
              VariantWith<Pause>(Field(&Pause::reason, "4 rounds failed in a row")));
}

}  // namespace
}  // namespace fed::server
