// What operators do to a job, to a client and to the server; and what the disk does to all of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Reason = wire::ComeBack::Reason;

const JobId kJob{"job-a"};

TEST(CoordinatorOrdersTest, StopDiscardsWhatTheOpenRoundTook) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  const CheckInCall waits = world.CheckIn("carl");

  const auto stopped = world.coordinator().StopJob(kJob, "enough");
  world.Crank();

  ASSERT_THAT(stopped, IsOk());
  EXPECT_EQ(stopped->state, JobState::kStopped);
  EXPECT_EQ(stopped->reason, "enough");
  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kFailed);
  EXPECT_EQ(world.Receipts("job-a", 1).at(0).reason, "job stopped");
  EXPECT_EQ(world.Job("job-a").failed_in_a_row, 0);
  EXPECT_FALSE(world.Renew("bert", bert.work()->ref)->go_on);
  EXPECT_THAT(world.Upload("bert", *bert.work()), StatusIs(StatusCode::kAborted));
  EXPECT_NE(waits.come_back(), nullptr);
  wire::CheckInRequest named = MakeRequest();
  named.jobs = {kJob};
  const CheckInCall after = world.CheckIn("carl", Role::kClient, named);
  ASSERT_NE(after.come_back(), nullptr);
  EXPECT_EQ(after.come_back()->reason, Reason::kJobsEnded);
  EXPECT_THAT(world.coordinator().StopJob(kJob, ""),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("it is STOPPED")));
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorOrdersTest, StopLetsAClosingRoundPublish) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 5\ncohort = 1"));
  const CheckInCall anna = world.CheckIn("anna");
  world.files.FailFrom(20, StatusCode::kResourceExhausted);  // somewhere in the fold
  (void)world.Upload("anna", *anna.work()).ok();
  world.files.FailAt(0);
  ASSERT_EQ(world.Round("job-a", 1).state, RoundState::kClosing);

  ASSERT_THAT(world.coordinator().StopJob(kJob, ""), IsOk());
  world.Advance(absl::Seconds(2));

  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kPublished);
  EXPECT_EQ(world.Latest("job-a").version.value, 1);
  EXPECT_EQ(world.Job("job-a").state, JobState::kStopped);
}

TEST(CoordinatorOrdersTest, PauseOpensNoRoundUntilResume) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 5\ncohort = 1"));
  const CheckInCall anna = world.CheckIn("anna");
  ASSERT_THAT(world.coordinator().PauseJob(kJob, "night"), IsOk());
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 1);  // the open round goes on

  const CheckInCall held = world.CheckIn("anna", Role::kClient, MakeRequest(absl::Seconds(5)));
  world.Advance(absl::Seconds(4));
  EXPECT_FALSE(held.answered());
  world.Advance(absl::Seconds(1));
  ASSERT_NE(held.come_back(), nullptr);
  EXPECT_EQ(held.come_back()->reason, Reason::kJobPaused);
  EXPECT_EQ(world.coordinator().Live(kJob)->waiting_for, "paused: night");
  const CheckInCall bert = world.CheckIn("bert");
  EXPECT_FALSE(bert.answered());

  ASSERT_THAT(world.coordinator().ResumeJob(kJob), IsOk());
  world.Crank();

  EXPECT_NE(bert.work(), nullptr);
}

TEST(CoordinatorOrdersTest, ADraftRunsOnceItIsStarted) {
  CoordinatorWorld world;
  world.Create(JobText("job-b", "count = 5\ncohort = 9"));
  world.Create(JobText("job-a", "count = 5\ncohort = 1"), false);
  const CheckInCall anna = world.CheckIn("anna");  // waits for job-b
  EXPECT_FALSE(anna.answered());

  ASSERT_THAT(world.coordinator().StartJob(kJob), IsOk());
  world.Crank();

  EXPECT_NE(anna.work(), nullptr);
  EXPECT_THAT(world.coordinator().StartJob(kJob),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("it is RUNNING")));
  EXPECT_THAT(world.coordinator().StartJob(JobId{"job-x"}),
              StatusIs(StatusCode::kNotFound, HasSubstr("no job \"job-x\"")));
}

TEST(CoordinatorOrdersTest, RevokedEndsPollsAndDiscardsOpenReceipts) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  const CheckInCall held = world.CheckIn("anna");
  EXPECT_FALSE(held.answered());
  world.Advance(absl::Seconds(3));  // the clients are written

  ASSERT_OK(world.revocations().Revoke(ClientId{"anna"}));
  world.Crank();

  EXPECT_THAT(held.status(), StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
  EXPECT_THAT(world.CheckIn("anna").status(), StatusIs(StatusCode::kPermissionDenied));
  const Receipt receipt = world.Receipts("job-a", 1).at(0);
  EXPECT_EQ(receipt.end, ReceiptEnd::kDiscarded);
  EXPECT_EQ(receipt.reason, "revoked");
  // It no longer counts: a replacement makes up for it.
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 0);
  const CheckInCall carl = world.CheckIn("carl");
  ASSERT_NE(carl.work(), nullptr);
  ASSERT_THAT(world.Upload("carl", *carl.work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 1);
  EXPECT_EQ(world.Metrics("job-a", 1).at("updates"), 2);
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorOrdersTest, ARevocationThatARestartInterruptedIsCarriedOut) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  world.Advance(absl::Seconds(3));
  world.Kill();
  ASSERT_OK(world.revocations().Revoke(ClientId{"anna"}));  // nobody is told
  world.Start();
  world.Crank();

  EXPECT_EQ(world.Receipts("job-a", 1).at(0).reason, "revoked");
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorOrdersTest, DrainEndsPollsAndLeavesTheRound) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 2"));
  const CheckInCall anna = world.CheckIn("anna");
  const CheckInCall bert = world.CheckIn("bert");
  const CheckInCall carl = world.CheckIn("carl");
  bool done = false;

  world.coordinator().Drain([&] { done = true; });
  world.Crank();

  EXPECT_TRUE(done);
  ASSERT_NE(carl.come_back(), nullptr);
  EXPECT_EQ(carl.come_back()->reason, Reason::kShuttingDown);
  EXPECT_EQ(world.CheckIn("dora").come_back()->reason, Reason::kShuttingDown);
  EXPECT_EQ(world.Client("anna").id.value, "anna");         // what was seen is written
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());  // within the grace time
  ASSERT_THAT(world.Upload("bert", *bert.work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 0);
  world.Restart();
  world.Crank();
  EXPECT_EQ(world.Latest("job-a").version.value, 1);
}

TEST(CoordinatorOrdersTest, DrainWaitsForTheFoldThatRuns) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 5\ncohort = 1"));
  const CheckInCall anna = world.CheckIn("anna");
  bool done = false;
  // A receipt closes the round; its fold is posted and does not run yet.
  ASSERT_OK(world.store.Write([&](StoreEdit& edit) {
    Receipt receipt;
    receipt.job = kJob;
    receipt.assignment = anna.work()->ref.assignment;
    receipt.client = ClientId{"anna"};
    receipt.joins = RoundId{1};
    receipt.weight = 1;
    return edit.AddReceipt(receipt);
  }));
  Receipt accepted;
  accepted.job = kJob;
  accepted.client = ClientId{"anna"};
  accepted.joins = RoundId{1};
  world.coordinator().Accepted(accepted);

  world.coordinator().Drain([&] { done = true; });
  world.executor->RunUntilIdle();
  EXPECT_FALSE(done);
  world.Crank();
  EXPECT_TRUE(done);
}

TEST(CoordinatorOrdersTest, AFullDiskKeepsTheRoundClosingUntilThereIsRoom) {
  for (int nth = 1;; ++nth) {
    CoordinatorWorld world;
    world.Create(JobText("job-a", "count = 1\ncohort = 1"));
    const CheckInCall anna = world.CheckIn("anna");
    const std::int64_t before = world.files.writing_calls();
    world.files.FailFrom(nth, StatusCode::kResourceExhausted);
    const auto reply = world.Upload("anna", *anna.work());
    const bool failed = world.files.writing_calls() - before >= nth;
    world.files.FailAt(0);
    const bool accepted = reply.ok() && std::holds_alternative<wire::UploadReceipt>(*reply);
    if (accepted && world.Latest("job-a").version.value == 0) {
      EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kClosing) << nth;
    }
    world.Advance(absl::Seconds(2));
    if (!accepted) {
      ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk()) << nth;
    }
    world.Advance(absl::Seconds(2));
    EXPECT_EQ(world.Latest("job-a").version.value, 1) << nth;
    world.ExpectInvariants("job-a");
    if (!failed) break;
    ASSERT_LT(nth, 200);
  }
}

TEST(CoordinatorOrdersTest, AnOutcomeThatIsUnknownEndsTheProcess) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1"));
  world.store.FailWrites(Status(StatusCode::kUnknown, "the commit returned EIO"));

  const CheckInCall anna = world.CheckIn("anna");

  ASSERT_THAT(world.deaths, SizeIs(1));
  EXPECT_THAT(world.deaths[0], StatusIs(StatusCode::kUnknown, HasSubstr("EIO")));
  EXPECT_EQ(anna.work(), nullptr);
  // It had happened: the restart finds it.
  world.store.FailWrites(Status());
  world.Restart();
  const CheckInCall again = world.CheckIn("anna");
  ASSERT_NE(again.work(), nullptr);
  EXPECT_EQ(again.work()->ref.assignment.value, 1);
}

TEST(CoordinatorOrdersTest, AStoreThatIsFullForAWhileLosesNothing) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1"));
  world.store.FailWrites(Status(StatusCode::kResourceExhausted, "disk full"));
  const CheckInCall anna = world.CheckIn("anna");
  EXPECT_FALSE(anna.answered());
  EXPECT_THAT(world.Rounds("job-a"), IsEmpty());
  world.store.FailWrites(Status());

  world.Advance(absl::Seconds(2));

  ASSERT_NE(anna.work(), nullptr);
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  EXPECT_EQ(world.Latest("job-a").version.value, 1);
}

TEST(CoordinatorOrdersTest, WatchersAreToldOfEachChange) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1"));
  std::vector<std::int64_t> rounds;
  auto watch = world.coordinator().WatchJob(
      kJob, [&](const Coordinator::Change& change) { rounds.push_back(change.round.value); });
  const CheckInCall anna = world.CheckIn("anna");
  EXPECT_THAT(rounds, ::testing::Contains(1));
  ASSERT_THAT(world.Upload("anna", *anna.work()), IsOk());
  EXPECT_THAT(rounds, ::testing::Contains(0));  // COMPLETED
  const std::size_t told = rounds.size();
  watch.reset();
  world.Create(JobText("job-b", "count = 1\ncohort = 1"));
  (void)world.coordinator().StopJob(JobId{"job-b"}, "").ok();
  world.Crank();
  EXPECT_EQ(rounds.size(), told);
}

}  // namespace
}  // namespace fed::server
