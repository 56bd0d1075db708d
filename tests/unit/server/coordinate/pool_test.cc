// Who waits, and who is taken first.
#include "server/coordinate/pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/manual_clock.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const JobId kA{"a"}, kB{"b"};
constexpr auto kTrain = wire::Purpose::kTrain;
constexpr auto kEvaluate = wire::Purpose::kEvaluate;

class PoolTest : public ::testing::Test {
 protected:
  std::shared_ptr<HeldPoll> Make(const std::string& name, Role role = Role::kClient) {
    Device device{{ClientId{name}, role}, {}, {}, clock_.Now() + absl::Seconds(60), ++made_};
    return std::make_shared<HeldPoll>(executor_, std::move(device),
                                      [this, name](StatusOr<wire::CheckInReply> reply) {
                                        answers_.emplace(name, std::move(reply));
                                      });
  }

  testing::ManualClock clock_;
  testing::ManualExecutor executor_{clock_};
  std::multimap<std::string, StatusOr<wire::CheckInReply>> answers_;
  Pool pool_{clock_};
  std::int64_t made_ = 0;
};

TEST_F(PoolTest, ADeviceWaitsInEachOfItsJobsUntilTheFirstDraw) {
  pool_.Add({Make("anna"), {kA, kB}});
  pool_.Add({Make("bert"), {kB}});
  EXPECT_THAT(pool_.Waiting(kA, kTrain), ElementsAre(ClientId{"anna"}));
  EXPECT_EQ(pool_.Count(kB, kTrain), 2);

  const auto taken = pool_.Take({ClientId{"anna"}, ClientId{"carl"}});

  ASSERT_THAT(taken, SizeIs(1));
  EXPECT_EQ(taken[0].poll->device().caller.id.value, "anna");
  EXPECT_EQ(pool_.Count(kA, kTrain), 0);
  EXPECT_THAT(pool_.Waiting(kB, kTrain), ElementsAre(ClientId{"bert"}));
  EXPECT_FALSE(pool_.IsWaiting(ClientId{"anna"}));
}

TEST_F(PoolTest, EvaluatorsStandInAQueueOfTheirOwn) {
  pool_.Add({Make("eva", Role::kEvaluator), {kA}});
  EXPECT_EQ(pool_.Count(kA, kTrain), 0);
  EXPECT_EQ(pool_.Count(kA, kEvaluate), 1);
}

TEST_F(PoolTest, TheWaitIsCountedFromTheFirstThatStillWaits) {
  EXPECT_EQ(pool_.Since(kA, kTrain), absl::InfiniteFuture());
  const absl::Time first = clock_.Now();
  const auto anna = Make("anna");
  pool_.Add({anna, {kA}});
  clock_.Advance(absl::Seconds(5));
  pool_.Add({Make("bert"), {kA}});
  EXPECT_EQ(pool_.Since(kA, kTrain), first);
  EXPECT_TRUE(pool_.Remove(*anna));
  EXPECT_FALSE(pool_.Remove(*anna));
  pool_.TakeAll();
  EXPECT_EQ(pool_.Since(kA, kTrain), absl::InfiniteFuture());
}

TEST_F(PoolTest, APollThatArrivedEarlierDoesNotDisplaceANewerOne) {
  const auto older = Make("anna");
  const auto newer = Make("anna");
  pool_.Add({newer, {kA}});
  pool_.Add({older, {kA}});
  executor_.RunUntilIdle();

  EXPECT_THAT(answers_, SizeIs(1));
  EXPECT_TRUE(pool_.Remove(*newer));
}

TEST_F(PoolTest, ACancelledPollDisplacesNobody) {
  pool_.Add({Make("anna"), {kA}});
  const auto cancelled = Make("anna");
  cancelled->Cancel();
  pool_.Add({cancelled, {kA}});
  EXPECT_FALSE(pool_.Remove(*cancelled));
  EXPECT_TRUE(pool_.IsWaiting(ClientId{"anna"}));
}

TEST_F(PoolTest, PutBackGivesWayToANewerPoll) {
  const auto older = Make("anna");
  pool_.Add({older, {kA}});
  auto taken = pool_.Take({ClientId{"anna"}});
  const auto newer = Make("anna");
  pool_.Add({newer, {kA}});

  pool_.PutBack(std::move(taken));
  executor_.RunUntilIdle();

  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_THAT(answers_.begin()->second, StatusIs(StatusCode::kAborted));
  EXPECT_TRUE(pool_.Remove(*newer));
}

TEST_F(PoolTest, ACancelledPollIsNotPutBack) {
  pool_.Add({Make("anna"), {kA}});
  auto taken = pool_.Take({ClientId{"anna"}});
  taken[0].poll->Cancel();
  pool_.PutBack(std::move(taken));
  EXPECT_FALSE(pool_.IsWaiting(ClientId{"anna"}));
}

TEST_F(PoolTest, JoinAddsAJobOnce) {
  pool_.Add({Make("anna"), {kA}});
  pool_.Add({Make("bert"), {}});
  pool_.Join(kB, [](const Device& device) { return device.caller.id.value == "anna"; });
  pool_.Join(kB, [](const Device&) { return true; });
  EXPECT_EQ(pool_.Count(kB, kTrain), 2);
  EXPECT_THAT(pool_.TakeQueues(kB), SizeIs(2));
  EXPECT_THAT(pool_.Waiting(kA, kTrain), IsEmpty());
}

TEST_F(PoolTest, TakeIfLooksAtTheDevice) {
  pool_.Add({Make("anna"), {kA}});
  EXPECT_THAT(pool_.TakeIf(ClientId{"anna"}, [](const Device&) { return false; }), IsEmpty());
  EXPECT_THAT(pool_.TakeIf(ClientId{"anna"}, [](const Device&) { return true; }), SizeIs(1));
}

TEST_F(PoolTest, TheFirstAnswerOfAPollIsTheAnswer) {
  const auto poll = Make("anna");
  poll->Answer(Status(StatusCode::kAborted, "one"));
  poll->Answer(Status(StatusCode::kNotFound, "two"));
  executor_.RunUntilIdle();
  ASSERT_THAT(answers_, SizeIs(1));
  EXPECT_THAT(answers_.begin()->second, StatusIs(StatusCode::kAborted, "one"));
}

TEST_F(PoolTest, AnAnswerDoesNotReachOneThatHasGone) {
  const auto poll = Make("anna");
  poll->Answer(Status(StatusCode::kAborted, "one"));
  poll->Cancel();
  executor_.RunUntilIdle();
  EXPECT_THAT(answers_, IsEmpty());
}

}  // namespace
}  // namespace fed::server
