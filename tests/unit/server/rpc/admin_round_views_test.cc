// What operators see of rounds, and who is at what in one.
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

const JobId kJob{"j"};

class AdminRoundViewsTest : public AdminWorld {
 protected:
  void SetUp() override { AddJob("j"); }

  // One device of round 1 that is at work, and its update if it has come.
  void Assign(std::int64_t assignment, bool has_receipt = false) {
    const AssignmentRecord record = TestAssignment("j", assignment, 1);
    Put(&StoreEdit::PutAssignment, record);
    if (has_receipt) Put(&StoreEdit::AddReceipt, TestReceipt(record));
  }
};

TEST_F(AdminRoundViewsTest, AnOpenRoundHasMadeNothingYet) {
  Put(&StoreEdit::PutRound, TestRound("j", 1));
  Assign(1, true);
  Assign(2, true);
  Assign(3);
  ASSERT_OK(store_.Write([](StoreEdit& edit) {
    return edit.PutRoundMetrics(kJob, RoundId{1}, {{"train_loss", 2}});
  }));

  ASSERT_OK_AND_ASSIGN(const v1::Round round, views_.Round(kJob, RoundId{1}));

  EXPECT_EQ(round.round(), 1);
  EXPECT_EQ(round.state(), "OPEN");
  EXPECT_EQ(round.reason(), "");
  EXPECT_EQ(round.base_version(), 0);
  EXPECT_EQ(round.version(), -1);
  EXPECT_EQ(round.updates(), 2);
  EXPECT_EQ(round.target_updates(), 30);
  EXPECT_EQ(round.cohort(), 3);
  EXPECT_EQ(round.opened_ms(), absl::ToUnixMillis(TestTime(10)));
  EXPECT_EQ(round.closed_ms(), 0);
  EXPECT_THAT(round.metrics(), UnorderedElementsAre(Pair("train_loss", 2)));
  EXPECT_THAT(round.evaluation(), IsEmpty());
}

TEST_F(AdminRoundViewsTest, APublishedRoundShowsTheVersionThatItMade) {
  AddPublishedRound("j", 1);
  AddPublishedRound("j", 2);
  Put(&StoreEdit::PutEvaluation, TestEvaluation("j", 1, 2));

  ASSERT_OK_AND_ASSIGN(const v1::Round round, views_.Round(kJob, RoundId{2}));

  EXPECT_EQ(round.state(), "PUBLISHED");
  EXPECT_EQ(round.base_version(), 1);
  EXPECT_EQ(round.version(), 2);
  EXPECT_EQ(round.closed_ms(), absl::ToUnixMillis(TestTime(25)));
  EXPECT_THAT(round.evaluation(),
              UnorderedElementsAre(Pair("accuracy", 0.84), Pair("examples", 10'000)));
  EXPECT_THAT(views_.Round(kJob, RoundId{1})->evaluation(), IsEmpty());
}

TEST_F(AdminRoundViewsTest, ARoundThatPublishedNothingHasNoVersion) {
  const std::map<RoundState, std::string> states = {{RoundState::kClosing, "CLOSING"},
                                                    {RoundState::kFailed, "FAILED"}};
  for (const auto& [state, name] : states) {
    RoundRecord record = TestRound("j", 1);
    record.state = state;
    record.reason = "too few updates";
    Put(&StoreEdit::PutRound, record);
    ASSERT_OK_AND_ASSIGN(const v1::Round round, views_.Round(kJob, RoundId{1}));
    EXPECT_EQ(round.state(), name);
    EXPECT_EQ(round.reason(), "too few updates");
    EXPECT_EQ(round.version(), -1);
  }
}

TEST_F(AdminRoundViewsTest, RoundZeroIsTheNewest) {
  EXPECT_THAT(views_.Round(kJob, RoundId{0}),
              StatusIs(StatusCode::kNotFound, "job 'j' has opened no round yet"));
  AddPublishedRound("j", 1);
  Put(&StoreEdit::PutRound, TestRound("j", 2));
  EXPECT_EQ(views_.Round(kJob, RoundId{0})->round(), 2);
  EXPECT_EQ(views_.RoundInFull(kJob, RoundId{0})->round().round(), 2);
  EXPECT_THAT(views_.Round(kJob, RoundId{3}), StatusIs(StatusCode::kNotFound));
}

TEST_F(AdminRoundViewsTest, ListsTheNewestFirstUpToTheLimit) {
  for (std::int64_t round = 1; round <= 3; ++round) AddPublishedRound("j", round);
  const auto rounds = [&](std::int64_t limit) {
    const StatusOr<v1::ListRoundsReply> reply = views_.Rounds(kJob, limit);
    std::vector<std::int64_t> all;
    for (const v1::Round& round : reply->rounds()) all.push_back(round.round());
    return all;
  };
  EXPECT_THAT(rounds(0), ElementsAre(3, 2, 1));
  EXPECT_THAT(rounds(2), ElementsAre(3, 2));
}

TEST_F(AdminRoundViewsTest, ShowsWhatEachDeviceOfARoundIsAt) {
  Put(&StoreEdit::PutRound, TestRound("j", 1));
  Put(&StoreEdit::PutClient, TestClient("client-2"));
  Assign(1);
  Assign(2);
  coordinator_.participants[{kJob, RoundId{1}}] = {
      {AssignmentId{2}, wire::Stage::kUploading, 7, 9, 0.5, absl::Milliseconds(1'500)}};

  ASSERT_OK_AND_ASSIGN(const v1::ShowRoundReply reply, views_.RoundInFull(kJob, RoundId{1}));

  EXPECT_EQ(reply.round().round(), 1);
  ASSERT_EQ(reply.participants_size(), 2);
  const v1::Participant& quiet = reply.participants(0);
  EXPECT_EQ(quiet.assignment(), 1);
  EXPECT_EQ(quiet.client(), "client-1");
  EXPECT_EQ(quiet.client_name(), "") << "a client without a row";
  EXPECT_EQ(quiet.state(), "ASSIGNED");
  EXPECT_EQ(quiet.stage(), "");
  EXPECT_EQ(quiet.last_sign_ms_ago(), -1);
  EXPECT_EQ(quiet.receipt(), "");
  const v1::Participant& live = reply.participants(1);
  EXPECT_EQ(live.assignment(), 2);
  EXPECT_EQ(live.client_name(), "name of client-2");
  EXPECT_EQ(live.stage(), "uploading");
  EXPECT_EQ(live.step(), 7);
  EXPECT_EQ(live.steps(), 9);
  EXPECT_EQ(live.loss(), 0.5);
  EXPECT_EQ(live.last_sign_ms_ago(), 1'500);
}

TEST_F(AdminRoundViewsTest, NamesEachStage) {
  Put(&StoreEdit::PutRound, TestRound("j", 1));
  Assign(1);
  const std::map<wire::Stage, std::string> stages = {{wire::Stage::kDownloading, "downloading"},
                                                     {wire::Stage::kTraining, "training"},
                                                     {wire::Stage::kUploading, "uploading"},
                                                     {wire::Stage::kEvaluating, "evaluating"}};
  for (const auto& [stage, name] : stages) {
    coordinator_.participants[{kJob, RoundId{1}}] = {
        {AssignmentId{1}, stage, 0, 0, 0, absl::ZeroDuration()}};
    EXPECT_EQ(views_.RoundInFull(kJob, RoundId{1})->participants(0).stage(), name);
  }
}

TEST_F(AdminRoundViewsTest, ShowsWhatBecameOfEachUpdate) {
  Put(&StoreEdit::PutRound, TestRound("j", 1));
  for (std::int64_t assignment = 1; assignment <= 3; ++assignment) Assign(assignment, true);
  ASSERT_OK(store_.Write([](StoreEdit& edit) -> Status {
    FED_RETURN_IF_ERROR(
        edit.EndReceipt(kJob, AssignmentId{2}, ReceiptEnd::kCounted, ModelVersion{1}, ""));
    return edit.EndReceipt(kJob, AssignmentId{3}, ReceiptEnd::kDiscarded, ModelVersion{0},
                           "the round failed");
  }));

  ASSERT_OK_AND_ASSIGN(const v1::ShowRoundReply reply, views_.RoundInFull(kJob, RoundId{1}));

  ASSERT_EQ(reply.participants_size(), 3);
  EXPECT_EQ(reply.participants(0).state(), "DONE");
  EXPECT_EQ(reply.participants(0).receipt(), "OPEN");
  EXPECT_EQ(reply.participants(0).bytes(), std::int64_t{3} << 31);
  EXPECT_EQ(reply.participants(1).receipt(), "COUNTED");
  EXPECT_EQ(reply.participants(2).receipt(), "DISCARDED");
  EXPECT_EQ(reply.participants(2).receipt_reason(), "the round failed");
}

TEST_F(AdminRoundViewsTest, ShowsWhyADeviceIsOut) {
  Put(&StoreEdit::PutRound, TestRound("j", 1));
  AssignmentRecord record = TestAssignment("j", 1, 1);
  record.state = AssignmentState::kRejected;
  record.reason = "NaN in tile 3";
  Put(&StoreEdit::PutAssignment, record);
  record = TestAssignment("j", 2, 1);
  record.state = AssignmentState::kGone;
  Put(&StoreEdit::PutAssignment, record);

  ASSERT_OK_AND_ASSIGN(const v1::ShowRoundReply reply, views_.RoundInFull(kJob, RoundId{1}));

  ASSERT_EQ(reply.participants_size(), 2);
  EXPECT_EQ(reply.participants(0).state(), "REJECTED");
  EXPECT_EQ(reply.participants(0).reason(), "NaN in tile 3");
  EXPECT_EQ(reply.participants(1).state(), "GONE");
}

}  // namespace
}  // namespace fed::server
