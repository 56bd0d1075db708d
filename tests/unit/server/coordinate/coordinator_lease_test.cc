// Devices that fall silent, come back, poll twice, or are not wanted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using Reason = wire::ComeBack::Reason;

TEST(CoordinatorLeaseTest, ADeviceThatIsSilentForFifteenSecondsIsReplaced) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  const CheckInCall carl = world.CheckIn("carl");
  for (int i = 0; i < 14; ++i) {
    world.Advance(absl::Seconds(1));
    ASSERT_THAT(world.Renew("bert", bert.work()->ref), IsOk());
  }
  EXPECT_FALSE(carl.answered());

  world.Advance(absl::Seconds(1));

  ASSERT_NE(carl.work(), nullptr);
  EXPECT_EQ(carl.work()->ref.assignment.value, 3);
  EXPECT_EQ(world.Assignment(anna.work()->ref).state, AssignmentState::kGone);
  EXPECT_THAT(world.Assignment(anna.work()->ref).reason, HasSubstr("no sign of life"));
  EXPECT_EQ(world.Client("anna").failures, 1);
  EXPECT_EQ(world.Client("bert").failures, 0);
}

TEST(CoordinatorLeaseTest, AnUpdateOfOneThatWasGoneIsTaken) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  world.Advance(absl::Seconds(20));
  ASSERT_EQ(world.Assignment(anna.work()->ref).state, AssignmentState::kGone);

  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());

  EXPECT_EQ(world.Assignment(anna.work()->ref).state, AssignmentState::kDone);
  EXPECT_EQ(world.Latest("job-a").version.value, 1);
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorLeaseTest, OneThatChecksInAgainGetsTheSameAssignment) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  world.Advance(absl::Seconds(20));

  const CheckInCall again = world.CheckIn("anna");

  ASSERT_NE(again.work(), nullptr);
  EXPECT_EQ(again.work()->ref, anna.work()->ref);
  EXPECT_EQ(again.work()->seed, anna.work()->seed);
  EXPECT_EQ(again.work()->remaining, anna.work()->remaining - absl::Seconds(20));
  EXPECT_EQ(world.Assignment(anna.work()->ref).state, AssignmentState::kAssigned);
  EXPECT_EQ(world.Assignments("job-a", 1).size(), 2);
}

TEST(CoordinatorLeaseTest, RenewalsShowWhoIsAtWhat) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1"));
  const CheckInCall anna = world.CheckIn("anna");
  const auto renewed = world.Renew("anna", anna.work()->ref);
  ASSERT_THAT(renewed, IsOk());
  EXPECT_TRUE(renewed->go_on);
  EXPECT_EQ(renewed->remaining, absl::Minutes(10));
  world.Advance(absl::Seconds(4));

  const auto live = world.coordinator().LiveParticipants(JobId{"job-a"}, RoundId{1});

  ASSERT_EQ(live.size(), 1);
  EXPECT_EQ(live[0].assignment, anna.work()->ref.assignment);
  EXPECT_EQ(live[0].step, 3);
  EXPECT_EQ(live[0].steps, 9);
  EXPECT_EQ(live[0].since_last_sign, absl::Seconds(4));
  EXPECT_TRUE(world.coordinator().LiveParticipants(JobId{"job-a"}, RoundId{2}).empty());
  EXPECT_FALSE(world.Renew("bert", anna.work()->ref)->go_on);  // another's
  EXPECT_THAT(world.Renew("anna", {JobId{"job-x"}, AssignmentId{1}}),
              StatusIs(StatusCode::kNotFound, HasSubstr("no job \"job-x\"")));
}

TEST(CoordinatorLeaseTest, ANewerPollEndsTheOlder) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall older = world.CheckIn("anna");
  const CheckInCall newer = world.CheckIn("anna");

  EXPECT_THAT(older.status(), StatusIs(StatusCode::kAborted, HasSubstr("newer check-in")));
  EXPECT_FALSE(newer.answered());
  EXPECT_EQ(world.coordinator().Live(JobId{"job-a"})->waiting, 1);
}

TEST(CoordinatorLeaseTest, APollThatIsDroppedLeavesThePool) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  CheckInCall anna = world.CheckIn("anna");
  EXPECT_TRUE(world.coordinator().IsWaiting(ClientId{"anna"}));
  anna.poll.reset();
  EXPECT_FALSE(world.coordinator().IsWaiting(ClientId{"anna"}));
  const CheckInCall bert = world.CheckIn("bert");
  EXPECT_FALSE(bert.answered());
  EXPECT_FALSE(anna.answered());
}

TEST(CoordinatorLeaseTest, AHoldEndsWithComeBack) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall call = world.CheckIn("anna", Role::kClient, MakeRequest(absl::Seconds(5)));
  world.Advance(absl::Seconds(4));
  EXPECT_FALSE(call.answered());
  world.Advance(absl::Seconds(1));

  ASSERT_NE(call.come_back(), nullptr);
  EXPECT_EQ(call.come_back()->reason, Reason::kNoWork);
  EXPECT_LE(call.come_back()->after, absl::Milliseconds(50));
  EXPECT_FALSE(world.coordinator().IsWaiting(ClientId{"anna"}));
}

TEST(CoordinatorLeaseTest, WhoIsNotWantedIsToldWhy) {
  CoordinatorWorld world;
  const CheckInCall early = world.CheckIn("anna");
  ASSERT_NE(early.come_back(), nullptr);
  EXPECT_EQ(early.come_back()->reason, Reason::kNoJob);
  world.Create(JobText("job-a", "count = 1\ncohort = 1",
                       "[evaluation]\nevery = 0\n[allow]\nlabels = { site = \"berlin\" }\n"));

  const CheckInCall elsewhere = world.CheckIn("anna");
  ASSERT_NE(elsewhere.come_back(), nullptr);
  EXPECT_EQ(elsewhere.come_back()->reason, Reason::kNoJob);
  EXPECT_THAT(elsewhere.come_back()->text, HasSubstr("labels"));

  wire::CheckInRequest no_codec = MakeRequest();
  no_codec.labels = {{"site", "berlin"}};
  no_codec.abilities.codecs = {"int9"};
  const CheckInCall unable = world.CheckIn("bert", Role::kClient, no_codec);
  ASSERT_NE(unable.come_back(), nullptr);
  EXPECT_THAT(unable.come_back()->text, HasSubstr("takes the codecs fp32; the device has int9"));

  const CheckInCall evaluator = world.CheckIn("eva", Role::kEvaluator);
  ASSERT_NE(evaluator.come_back(), nullptr);
  EXPECT_THAT(evaluator.come_back()->text, HasSubstr("wants no evaluation"));

  wire::CheckInRequest here = MakeRequest();
  here.labels = {{"site", "berlin"}};
  const CheckInCall welcome = world.CheckIn("carl", Role::kClient, here);
  EXPECT_NE(welcome.work(), nullptr);
}

TEST(CoordinatorLeaseTest, ADeviceDoesNotTalkItsWayIntoAnotherLabel) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1",
                       "[evaluation]\nevery = 0\n[allow]\nlabels = { site = \"berlin\" }\n"));
  ASSERT_OK(world.store.Write([](StoreEdit& edit) {
    ClientRecord row;
    row.id = ClientId{"anna"};
    row.labels = {{"site", "paris"}};
    row.first_seen = absl::InfinitePast();
    return edit.PutClient(row);
  }));
  wire::CheckInRequest lies = MakeRequest();
  lies.labels = {{"site", "berlin"}, {"floor", "2"}};

  const CheckInCall call = world.CheckIn("anna", Role::kClient, lies);

  EXPECT_EQ(call.work(), nullptr);
  world.Advance(absl::Seconds(3));
  EXPECT_EQ(world.Client("anna").labels, (Labels{{"floor", "2"}, {"site", "paris"}}));
}

TEST(CoordinatorLeaseTest, WithLocalStateAnOpenReceiptKeepsADeviceOutOfTheDraw) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 9\ncohort = 2\nmin_updates = 1\npool_min = 1"));
  wire::CheckInRequest stateful = MakeRequest();
  stateful.abilities.state_in_use = true;
  const CheckInCall first = world.CheckIn("anna", Role::kClient, stateful);
  ASSERT_NE(first.work(), nullptr);
  ASSERT_THAT(world.Upload("anna", *first.work()), IsOk());
  stateful.unsettled = {first.work()->ref};

  const CheckInCall held = world.CheckIn("anna", Role::kClient, stateful);
  EXPECT_TRUE(world.coordinator().IsWaiting(ClientId{"anna"}));
  EXPECT_EQ(world.coordinator().Live(JobId{"job-a"})->waiting, 0);

  const CheckInCall bert = world.CheckIn("bert");
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());
  ASSERT_EQ(held.ends().size(), 1);  // the round has published
  EXPECT_EQ(held.work(), nullptr);
  stateful.unsettled = {};
  EXPECT_NE(world.CheckIn("anna", Role::kClient, stateful).work(), nullptr);
}

TEST(CoordinatorLeaseTest, TwoJobsShareOnePool) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  world.Create(JobText("job-b", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  wire::CheckInRequest only_b = MakeRequest();
  only_b.jobs = {JobId{"job-b"}};
  const CheckInCall bert = world.CheckIn("bert", Role::kClient, only_b);
  ASSERT_NE(anna.work(), nullptr);
  ASSERT_NE(bert.work(), nullptr);
  EXPECT_EQ(anna.work()->ref.job.value, "job-b");
  const CheckInCall carl = world.CheckIn("carl");
  const CheckInCall dora = world.CheckIn("dora");
  ASSERT_NE(carl.work(), nullptr);
  EXPECT_EQ(carl.work()->ref.job.value, "job-a");

  ASSERT_THAT(world.Upload("carl", *carl.work()), IsOk());
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());
  ASSERT_THAT(world.Upload("dora", *dora.work()), IsOk());

  EXPECT_EQ(world.Job("job-a").state, JobState::kCompleted);
  EXPECT_EQ(world.Job("job-b").state, JobState::kCompleted);
  world.ExpectInvariants("job-a");
  world.ExpectInvariants("job-b");
}

}  // namespace
}  // namespace fed::server
