// What operators see of jobs, clients and models.
#include "server/rpc/admin_views.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/server/rpc/admin_world.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class AdminViewsTest : public AdminWorld {};

TEST_F(AdminViewsTest, AJobIsItsRowsAndWhatOnlyTheProcessKnows) {
  AddJob("j", JobState::kPaused);
  AddPublishedRound("j", 1);
  AddPublishedRound("j", 2);
  RoundRecord failed = TestRound("j", 3);
  failed.state = RoundState::kFailed;
  Put(&StoreEdit::PutRound, failed);
  coordinator_.jobs[JobId{"j"}] = {5, "devices: 5 of 30", RoundId{4}};

  ASSERT_OK_AND_ASSIGN(const v1::Job job, views_.Job(JobId{"j"}));

  EXPECT_EQ(job.id(), "j");
  EXPECT_EQ(job.state(), v1::JOB_STATE_PAUSED);
  EXPECT_EQ(job.reason(), "as told");
  EXPECT_EQ(job.rounds_done(), 2) << "a failed one does not count";
  EXPECT_EQ(job.rounds_planned(), 7);
  EXPECT_EQ(job.latest_version(), 2);
  EXPECT_EQ(job.open_round(), 4);
  EXPECT_EQ(job.devices_waiting(), 5);
  EXPECT_EQ(job.waiting_for(), "devices: 5 of 30");
  EXPECT_EQ(job.created_ms(), absl::ToUnixMillis(TestTime(1)));
}

TEST_F(AdminViewsTest, NamesEachStateOfAJob) {
  const std::map<JobState, v1::JobState> states = {{JobState::kDraft, v1::JOB_STATE_DRAFT},
                                                   {JobState::kRunning, v1::JOB_STATE_RUNNING},
                                                   {JobState::kPaused, v1::JOB_STATE_PAUSED},
                                                   {JobState::kCompleted, v1::JOB_STATE_COMPLETED},
                                                   {JobState::kStopped, v1::JOB_STATE_STOPPED}};
  for (const auto& [state, shown] : states) {
    const std::string id = "job-" + std::to_string(static_cast<int>(state));
    AddJob(id, state);
    EXPECT_EQ(views_.Job(JobId{id})->state(), shown);
  }
}

TEST_F(AdminViewsTest, SaysThatThereIsNoSuchJob) {
  AddJob("j");
  const JobId none{"none"};
  EXPECT_THAT(views_.Job(none), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(views_.JobInFull(none), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(views_.Models(none), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(views_.Rounds(none, 0), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(views_.RoundInFull(none, RoundId{1}), StatusIs(StatusCode::kNotFound));
  coordinator_.jobs[none] = LiveJob();
  EXPECT_THAT(views_.Job(none), StatusIs(StatusCode::kNotFound)) << "the store has the last word";
}

TEST_F(AdminViewsTest, ListsJobsById) {
  EXPECT_EQ(views_.Jobs()->jobs_size(), 0);
  AddJob("b");
  AddJob("a");
  ASSERT_OK_AND_ASSIGN(const v1::ListJobsReply reply, views_.Jobs());
  ASSERT_EQ(reply.jobs_size(), 2);
  EXPECT_EQ(reply.jobs(0).id(), "a");
  EXPECT_EQ(reply.jobs(1).id(), "b");
}

TEST_F(AdminViewsTest, AJobInFullHasItsTextsAndTheNewestEvaluation) {
  AddJob("j");
  for (std::int64_t round = 1; round <= 3; ++round) AddPublishedRound("j", round);
  EvaluationRecord evaluation = TestEvaluation("j", 1, 1);
  Put(&StoreEdit::PutEvaluation, evaluation);
  evaluation = TestEvaluation("j", 2, 2);
  evaluation.scalars = {{"accuracy", 0.9}};
  Put(&StoreEdit::PutEvaluation, evaluation);

  ASSERT_OK_AND_ASSIGN(const v1::ShowJobReply reply, views_.JobInFull(JobId{"j"}));

  EXPECT_EQ(reply.job().id(), "j");
  EXPECT_EQ(reply.spec(), SpecOf("j"));
  EXPECT_EQ(reply.plan(), "[plan]\n");
  EXPECT_EQ(reply.evaluated_version(), 2) << "3 is newer, but nobody has evaluated it";
  EXPECT_THAT(reply.latest_metrics(), UnorderedElementsAre(Pair("accuracy", 0.9)));
}

TEST_F(AdminViewsTest, AClientIsItsRowAndWhetherItWaits) {
  ClientRecord client = TestClient("0123456789ab");
  client.last_seen = TestTime(9);
  Put(&StoreEdit::PutClient, client);
  coordinator_.waiting.insert(client.id);

  ASSERT_OK_AND_ASSIGN(const v1::Client shown, views_.Client("01234567"));

  EXPECT_EQ(shown.id(), "0123456789ab");
  EXPECT_EQ(shown.role(), "evaluator");
  EXPECT_EQ(shown.name(), "name of 0123456789ab");
  EXPECT_THAT(shown.labels(), UnorderedElementsAre(Pair("site", "north"), Pair("", "empty name"),
                                                   Pair("empty value", "")));
  EXPECT_EQ(shown.sdk_version(), "0.1.0");
  EXPECT_EQ(shown.platform(), "linux-x86_64");
  EXPECT_EQ(shown.examples(), 600);
  EXPECT_EQ(shown.enrolled_ms(), absl::ToUnixMillis(TestTime(2)));
  EXPECT_EQ(shown.first_seen_ms(), 0) << "never";
  EXPECT_EQ(shown.last_seen_ms(), absl::ToUnixMillis(TestTime(9)));
  EXPECT_EQ(shown.rounds(), 4);
  EXPECT_EQ(shown.failures(), 1);
  EXPECT_TRUE(shown.revoked());
  EXPECT_TRUE(shown.waiting());
}

TEST_F(AdminViewsTest, ListsClientsByIdUpToTheLimit) {
  for (const char* const id : {"c", "a", "b"}) Put(&StoreEdit::PutClient, TestClient(id));
  coordinator_.waiting.insert(ClientId{"b"});
  const auto ids = [&](std::int64_t limit) {
    const StatusOr<v1::ListClientsReply> reply = views_.Clients(limit);
    std::vector<std::string> all;
    for (const v1::Client& client : reply->clients()) all.push_back(client.id());
    return all;
  };
  EXPECT_THAT(ids(0), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ids(2), ElementsAre("a", "b"));
  EXPECT_FALSE(views_.Clients(0)->clients(0).waiting());
  EXPECT_TRUE(views_.Clients(0)->clients(1).waiting());
}

TEST_F(AdminViewsTest, AModelHasTheBytesOfAllItsFilesAndTheDigestOfOne) {
  AddJob("j");
  AddPublishedRound("j", 1);
  Put(&StoreEdit::PutEvaluation, TestEvaluation("j", 1, 1));

  ASSERT_OK_AND_ASSIGN(const v1::Model model, views_.Model(JobId{"j"}, ModelVersion{1}));

  EXPECT_EQ(model.version(), 1);
  EXPECT_EQ(model.round(), 1);
  EXPECT_EQ(model.bytes(), 796 + (std::int64_t{1} << 40));
  EXPECT_EQ(model.digest(), "blob-1");
  EXPECT_EQ(model.created_ms(), absl::ToUnixMillis(TestTime(31)));
  EXPECT_TRUE(model.kept());
  EXPECT_THAT(model.evaluation(),
              UnorderedElementsAre(Pair("accuracy", 0.84), Pair("examples", 10'000)));
  EXPECT_THAT(views_.Model(JobId{"j"}, ModelVersion{2}), StatusIs(StatusCode::kNotFound));
}

TEST_F(AdminViewsTest, ListsEveryModelAlsoThoseWhoseFilesAreGone) {
  AddJob("j");
  AddPublishedRound("j", 1);
  ModelRecord gone = TestModel("j", 0);
  gone.kept = false;
  Put(&StoreEdit::PutModel, gone);

  ASSERT_OK_AND_ASSIGN(const v1::ListModelsReply reply, views_.Models(JobId{"j"}));

  ASSERT_EQ(reply.models_size(), 2);
  EXPECT_EQ(reply.models(0).version(), 0);
  EXPECT_FALSE(reply.models(0).kept());
  EXPECT_THAT(reply.models(0).evaluation(), IsEmpty());
  EXPECT_EQ(reply.models(1).version(), 1);
  EXPECT_TRUE(reply.models(1).kept());
}

}  // namespace
}  // namespace fed::server
