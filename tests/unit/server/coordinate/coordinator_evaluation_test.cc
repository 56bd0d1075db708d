// Evaluators, completion and what versions are kept for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const JobId kJob{"job-a"};
constexpr const char* kRounds = "count = 4\ncohort = 1";

std::vector<std::int64_t> KeptVersions(const CoordinatorWorld& world) {
  std::vector<std::int64_t> kept;
  for (const ModelRecord& model : world.Models("job-a")) {
    if (model.kept) kept.push_back(model.version.value);
  }
  return kept;
}

TEST(CoordinatorEvaluationTest, AnEvaluatorGetsTheNewestVersionThatItHasNotDone) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds, "[evaluation]\nevery = 1\n"));
  const CheckInCall eva = world.CheckIn("eva", Role::kEvaluator);
  EXPECT_FALSE(eva.answered());  // version 0 is nobody's work
  world.RunRounds("job-a", {"anna"}, 2);
  ASSERT_NE(eva.work(), nullptr);
  EXPECT_EQ(eva.work()->purpose, wire::Purpose::kEvaluate);
  EXPECT_EQ(eva.work()->base.value, 1);
  EXPECT_TRUE(eva.work()->update_groups.empty());
  const CheckInCall same = world.CheckIn("eva", Role::kEvaluator);
  ASSERT_NE(same.work(), nullptr);
  EXPECT_EQ(same.work()->ref, eva.work()->ref);
  const CheckInCall other = world.CheckIn("otto", Role::kEvaluator);
  ASSERT_NE(other.work(), nullptr);
  EXPECT_EQ(other.work()->base.value, 2);

  const auto reply = world.Report("eva", eva.work()->ref, 0.7);

  ASSERT_THAT(reply, IsOk());
  EXPECT_TRUE(reply->taken);
  EXPECT_TRUE(world.Report("eva", eva.work()->ref, 0.1)->taken);  // as the first time
  const CheckInCall next = world.CheckIn("eva", Role::kEvaluator);
  ASSERT_NE(next.work(), nullptr);
  EXPECT_EQ(next.work()->base.value, 2);
  ASSERT_OK(world.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const auto rows, view.Evaluations(kJob, ModelVersion{1}));
    EXPECT_EQ(rows.size(), 1);
    EXPECT_EQ(rows.at(0).scalars.at("accuracy"), 0.7);
    return Status();
  }));
  EXPECT_THAT(world.Report("otto", next.work()->ref, 0.5),
              StatusIs(StatusCode::kNotFound, HasSubstr("of this client")));
}

TEST(CoordinatorEvaluationTest, AJobIsCompletedAfterItsLastEvaluation) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1", "[evaluation]\nevery = 5\n"));
  world.RunRounds("job-a", {"anna"}, 1);
  EXPECT_EQ(world.Job("job-a").state, JobState::kRunning);
  EXPECT_THAT(world.coordinator().Live(kJob)->waiting_for, HasSubstr("evaluation of version 1"));

  const CheckInCall eva = world.CheckIn("eva", Role::kEvaluator);
  ASSERT_NE(eva.work(), nullptr);
  ASSERT_THAT(world.Report("eva", eva.work()->ref, 0.7), IsOk());

  EXPECT_EQ(world.Job("job-a").state, JobState::kCompleted);
}

TEST(CoordinatorEvaluationTest, WithoutAnEvaluatorItIsCompletedAfterTheTimeout) {
  CoordinatorWorld world;
  world.Create(
      JobText("job-a", "count = 1\ncohort = 1", "[evaluation]\nevery = 1\ntimeout = \"40s\"\n"));
  world.RunRounds("job-a", {"anna"}, 1);
  world.Advance(absl::Seconds(35));
  EXPECT_EQ(world.Job("job-a").state, JobState::kRunning);
  world.Advance(absl::Seconds(5));
  EXPECT_EQ(world.Job("job-a").state, JobState::kCompleted);
}

TEST(CoordinatorEvaluationTest, ASilentEvaluatorIsReplacedAndItsLateReportTaken) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds, "[evaluation]\nevery = 1\n"));
  world.RunRounds("job-a", {"anna"}, 1);
  const CheckInCall eva = world.CheckIn("eva", Role::kEvaluator);
  world.Advance(absl::Seconds(10));
  EXPECT_TRUE(world.Renew("eva", eva.work()->ref)->go_on);
  world.Advance(absl::Seconds(14));
  EXPECT_TRUE(world.Renew("eva", eva.work()->ref)->go_on);
  world.Advance(absl::Seconds(15));

  EXPECT_FALSE(world.Renew("eva", eva.work()->ref)->go_on);
  EXPECT_TRUE(world.Report("eva", eva.work()->ref, 0.3)->taken);
}

TEST(CoordinatorEvaluationTest, AReportAfterTheEndIsNotTaken) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", kRounds, "[evaluation]\nevery = 1\n"));
  world.RunRounds("job-a", {"anna"}, 1);
  const CheckInCall eva = world.CheckIn("eva", Role::kEvaluator);
  ASSERT_THAT(world.coordinator().StopJob(kJob, ""), IsOk());

  const auto reply = world.Report("eva", eva.work()->ref, 0.3);

  ASSERT_THAT(reply, IsOk());
  EXPECT_FALSE(reply->taken);
  EXPECT_EQ(reply->reason, "the job has ended");
}

TEST(CoordinatorEvaluationTest, EvaluationsSurviveARestart) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 1\ncohort = 1", "[evaluation]\nevery = 1\n"));
  world.RunRounds("job-a", {"anna"}, 1);
  const CheckInCall eva = world.CheckIn("eva", Role::kEvaluator);

  world.Restart();

  const CheckInCall again = world.CheckIn("eva", Role::kEvaluator);
  ASSERT_NE(again.work(), nullptr);
  EXPECT_EQ(again.work()->ref, eva.work()->ref);
  ASSERT_THAT(world.Report("eva", eva.work()->ref, 0.7), IsOk());
  EXPECT_EQ(world.Job("job-a").state, JobState::kCompleted);
}

TEST(CoordinatorEvaluationTest, RetentionKeepsTheLastAndTheBestAndRemovesTheRestOfTheFiles) {
  CoordinatorWorld world;
  world.Create(JobText("job-a", "count = 9\ncohort = 1",
                       "[evaluation]\nevery = 1\n[retention]\nlast = 2\nbest = \"accuracy\"\n"));
  for (int version = 1; version <= 4; ++version) {
    world.RunRounds("job-a", {"anna"}, version);
    const CheckInCall eva = world.CheckIn("eva", Role::kEvaluator);
    ASSERT_NE(eva.work(), nullptr);
    ASSERT_EQ(eva.work()->base.value, version);
    ASSERT_THAT(world.Report("eva", eva.work()->ref, version == 1 ? 0.9 : 0.1), IsOk());
  }

  EXPECT_THAT(KeptVersions(world), ElementsAre(1, 3, 4));
  EXPECT_EQ(world.blobs().List()->size(), 3);
  world.ExpectInvariants("job-a");
}

}  // namespace
}  // namespace fed::server
