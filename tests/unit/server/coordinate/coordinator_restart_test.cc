// The process dies at every state of a round, and the power fails at every write; the versions are
// those of a run that nobody disturbed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/random.h"
#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::testing::IsEmpty;

const std::vector<std::string> kThree = {"anna", "bert", "carl"};
constexpr const char* kRounds = "count = 3\ncohort = 3";

std::string UndisturbedDigest() {
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds));
  world.RunRounds("job-a", kThree, 3);
  return world.LatestDigest("job-a");
}

TEST(CoordinatorRestartTest, TwoRunsOfOneSeedGiveTheSameModel) {
  EXPECT_EQ(UndisturbedDigest(), UndisturbedDigest());
}

TEST(CoordinatorRestartTest, ARestartBetweenAnyTwoStepsChangesNothing) {
  const std::string expected = UndisturbedDigest();
  for (int at = 0; at < 8; ++at) {
    CoordinatorWorld world;
    int step = 0;
    const auto restart_if_due = [&] {
      if (step++ == at) world.Restart();
      world.Crank();
    };
    world.Create(JobText("job-a", kRounds));
    restart_if_due();  // 0: created
    std::map<std::string, wire::Assignment> work;
    {
      std::vector<CheckInCall> calls;
      for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
      for (std::size_t i = 0; i < 3; ++i) work[kThree[i]] = *calls[i].work();
    }
    restart_if_due();  // 1: drawn
    for (const auto& name : kThree) {
      ASSERT_THAT(world.Upload(name, work[name]), IsOk()) << at;
      restart_if_due();  // 2, 3: some updates; 4: published
    }
    EXPECT_EQ(world.Latest("job-a").version.value, 1) << at;
    EXPECT_THAT(*world.spool().List(), IsEmpty());
    world.ExpectInvariants("job-a");
    world.RunRounds("job-a", kThree, 3);
    EXPECT_EQ(world.LatestDigest("job-a"), expected) << at;
    EXPECT_EQ(world.Job("job-a").state, JobState::kCompleted);
  }
}

TEST(CoordinatorRestartTest, AfterARestartAnOpenAssignmentIsGivenAgain) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds));
  std::vector<CheckInCall> calls;
  for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
  const wire::AssignmentRef ref = calls[0].work()->ref;
  world.Advance(absl::Seconds(14));

  world.Restart();
  world.Advance(absl::Seconds(14));  // a full lease

  EXPECT_EQ(world.Assignment(ref).state, AssignmentState::kAssigned);
  const CheckInCall again = world.CheckIn("anna");
  ASSERT_NE(again.work(), nullptr);
  EXPECT_EQ(again.work()->ref, ref);
  EXPECT_LE(again.work()->remaining, absl::Minutes(10));
}

TEST(CoordinatorRestartTest, AClosingRoundIsFoldedAgain) {
  const std::string expected = UndisturbedDigest();
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds));
  {
    std::vector<CheckInCall> calls;
    for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
    ASSERT_THAT(world.Upload("anna", *calls[0].work()), IsOk());
    ASSERT_THAT(world.Upload("bert", *calls[1].work()), IsOk());
    world.files.FailFrom(12, StatusCode::kUnavailable);  // in the fold
    (void)world.Upload("carl", *calls[2].work()).ok();
  }
  world.files.FailAt(0);
  ASSERT_EQ(world.Round("job-a", 1).state, RoundState::kClosing);

  world.Restart();
  world.Crank();

  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kPublished);
  world.RunRounds("job-a", kThree, 3);
  EXPECT_EQ(world.LatestDigest("job-a"), expected);
}

TEST(CoordinatorRestartTest, AStopThatARestartInterruptedIsCarriedOut) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds));
  std::vector<CheckInCall> calls;
  for (const auto& name : kThree) calls.push_back(world.CheckIn(name));
  ASSERT_THAT(world.Upload("anna", *calls[0].work()), IsOk());
  world.Kill();
  ASSERT_OK(world.store.Write([](StoreEdit& edit) -> Status {
    FED_ASSIGN_OR_RETURN(JobRecord job, edit.Job(JobId{"job-a"}));
    job.state = JobState::kStopped;
    return edit.PutJob(job);
  }));

  world.Start();
  world.Crank();

  EXPECT_EQ(world.Round("job-a", 1).state, RoundState::kFailed);
  EXPECT_EQ(world.Receipts("job-a", 1).at(0).reason, "job stopped");
  EXPECT_THAT(*world.spool().List(), IsEmpty());
  world.ExpectInvariants("job-a");
}

TEST(CoordinatorRestartTest, FilesOfAJobThatWasNotMadeAreRemovedAtStart) {
  CoordinatorWorld world;
  world.store.FailWrites(Status(StatusCode::kResourceExhausted, "disk full"));
  JobDraft draft;
  draft.spec = JobText("job-a", kRounds);
  draft.plan = kTinyPlan;
  EXPECT_FALSE(world.coordinator().CreateJob(std::move(draft)).ok());
  world.store.FailWrites(Status());
  EXPECT_EQ(world.blobs().List()->size(), 1);

  world.Restart();

  EXPECT_THAT(*world.blobs().List(), IsEmpty());
}

// The power fails at the n-th write of the disk, for every n; what was acknowledged counts.
TEST(CoordinatorRestartTest, APowerCutAtAnyWriteChangesNothing) {
  CoordinatorWorld undisturbed;
  undisturbed.Create(JobText("job-a", "count = 1\ncohort = 2"));
  undisturbed.RunRounds("job-a", {"anna", "bert"}, 1);
  const std::string expected = undisturbed.LatestDigest("job-a");
  for (int nth = 1;; ++nth) {
    CoordinatorWorld world;
    world.Create(JobText("job-a", "count = 1\ncohort = 2"));
    std::map<std::string, wire::Assignment> work;
    {
      const CheckInCall anna = world.CheckIn("anna");
      const CheckInCall bert = world.CheckIn("bert");
      work = {{"anna", *anna.work()}, {"bert", *bert.work()}};
    }
    const std::int64_t before = world.files.writing_calls();
    world.files.FailFrom(nth);
    for (const auto& [name, assignment] : work) (void)world.Upload(name, assignment).ok();
    const bool is_last = world.files.writing_calls() - before < nth;
    const auto acknowledged = world.Receipts("job-a", 1);

    world.Kill();
    world.files.CrashTearingTheLastWrite();
    world.Start();
    world.Crank();
    for (const auto& [name, assignment] : work) (void)world.Upload(name, assignment).ok();
    world.Advance(absl::Seconds(2));

    EXPECT_EQ(world.Latest("job-a").version.value, 1) << nth;
    EXPECT_EQ(world.LatestDigest("job-a"), expected) << nth;
    for (const Receipt& receipt : acknowledged) {
      ASSERT_OK(world.store.Read([&](const StoreView& view) -> Status {
        FED_ASSIGN_OR_RETURN(const Receipt now, view.ReceiptOf(receipt.job, receipt.assignment));
        EXPECT_EQ(now.end, ReceiptEnd::kCounted) << nth;
        return Status();
      }));
    }
    world.ExpectInvariants("job-a");
    if (is_last) break;
    ASSERT_LT(nth, 300);
  }
}

}  // namespace
}  // namespace fed::server
