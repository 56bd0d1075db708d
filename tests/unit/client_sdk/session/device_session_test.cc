// A device's rounds from start to end.
#include "client_sdk/session/device_session.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "common/codec/update_format.h"
#include "tests/unit/client_sdk/session/session_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::FakeServer;
using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using End = wire::ReceiptEnd::End;
using Told = ClientProgress::Stage;

class DeviceSessionTest : public SessionFixture {
 protected:
  static UpdateHeader HeaderOf(const FakeServer::Taken& taken) {
    const auto bytes = AsBytes(taken.bytes);
    const auto size = UpdateHeaderBytes(bytes.subspan(0, kUpdatePrefixBytes));
    const auto header = DecodeUpdateHeader(bytes.subspan(0, static_cast<std::size_t>(*size)));
    EXPECT_OK(header);
    return *header;
  }

  std::vector<std::string> OutboxNames() { return *files_.List("/state/outbox"); }
  float LocalValue() {
    const auto outbox = Outbox::Open(files_, log_, {"/state/outbox", "/state/local", {}});
    const auto local = (*outbox)->Local(JobId{"keyboard"});
    return local->size() == 0 ? -1 : local->values(0)[0];
  }
};

TEST_F(DeviceSessionTest, ADeviceTrainsEveryRoundAndEndsWithTheJob) {
  script_.rounds = 3;
  MakeServer();

  EXPECT_THAT(RunDevice(), IsOk());

  EXPECT_EQ(record_.trainings, 3);
  const auto taken = server_->taken();
  ASSERT_THAT(taken, SizeIs(3));
  const UpdateHeader header = HeaderOf(taken[2]);
  EXPECT_EQ(header.job, JobId{"keyboard"});
  EXPECT_EQ(header.assignment, AssignmentId{3});
  EXPECT_EQ(header.base, ModelVersion{1});
  EXPECT_THAT(header.groups, ElementsAre(UpdateGroup{"delta", 3}));  // own.bias stays here
  EXPECT_THAT(OutboxNames(), IsEmpty());
}

TEST_F(DeviceSessionTest, TheCheckInSaysWhoAndWhatTheDeviceIs) {
  options_.labels = {{"site", "berlin"}};
  options_.examples = 600;
  MakeServer();
  ASSERT_OK(RunDevice());

  const wire::CheckInRequest request = server_->check_ins().front();
  EXPECT_EQ(request.abilities.sdk_version, "0.1.0");
  EXPECT_THAT(request.abilities.platform, HasSubstr("linux-"));
  EXPECT_THAT(request.abilities.codecs, ElementsAre("fp32"));
  EXPECT_EQ(request.abilities.examples, 600);
  EXPECT_EQ(request.labels.at("site"), "berlin");
  EXPECT_THAT(request.jobs, ElementsAre(JobId{"keyboard"}));
  EXPECT_EQ(request.hold, absl::Seconds(60));
}

TEST_F(DeviceSessionTest, TheTrainerGetsTheAssignmentsSeed) {
  MakeServer();
  ASSERT_OK(RunDevice());
  EXPECT_THAT(record_.seeds, ElementsAre(42));
}

TEST_F(DeviceSessionTest, AVersionThatIsHereIsNotFetchedAgain) {
  script_.rounds = 4;  // on versions 0, 1, 1, 1
  MakeServer();
  ASSERT_OK(RunDevice());
  EXPECT_EQ(server_->counts().downloads, 2);
}

TEST_F(DeviceSessionTest, AnotherLifeFetchesNothingThatIsHere) {
  MakeServer();
  ASSERT_OK(RunDevice());
  const std::int64_t bytes = server_->counts().bytes_down;
  server_ = nullptr;
  MakeServer();
  ASSERT_OK(RunDevice());
  EXPECT_GT(bytes, 0);
  EXPECT_EQ(server_->counts().bytes_down, 0);
}

TEST_F(DeviceSessionTest, LocalTensorsAreKeptAndLaidOverTheNextVersion) {
  script_.rounds = 3;
  MakeServer();
  ASSERT_OK(RunDevice());
  // 0 as it came, then what each training left.
  EXPECT_THAT(record_.local_values, ElementsAre(0, 1, 2));
  EXPECT_EQ(LocalValue(), 3);
}

TEST_F(DeviceSessionTest, LocalTensorsOfADiscardedUpdateAreForgotten) {
  script_.settle_at_once = false;
  MakeServer();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->taken().size() == 1; }));
  server_->Settle({server_->taken()[0].ref, End::kDiscarded, {}, "job stopped"});

  EXPECT_THAT(RunToTheEnd(), IsOk());

  EXPECT_EQ(LocalValue(), -1);
  EXPECT_THAT(OutboxNames(), IsEmpty());
  EXPECT_TRUE(Logged("end=discarded"));
  EXPECT_TRUE(Logged("why=\"job stopped\""));
}

TEST_F(DeviceSessionTest, AReceiptIsAskedForUntilItsEndIsTold) {
  script_.settle_at_once = false;
  MakeServer();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->counts().check_ins == 4; }));
  const wire::AssignmentRef ref = server_->taken()[0].ref;
  EXPECT_THAT(server_->check_ins()[0].unsettled, IsEmpty());
  for (int i = 1; i < 4; ++i) {
    EXPECT_THAT(server_->check_ins()[static_cast<std::size_t>(i)].unsettled, ElementsAre(ref));
  }

  KillDevice();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->counts().check_ins == 5; }));
  EXPECT_THAT(server_->check_ins()[4].unsettled, ElementsAre(ref));

  server_->Settle({ref, End::kCounted, ModelVersion{1}, ""});
  EXPECT_THAT(RunToTheEnd(), IsOk());
  EXPECT_EQ(LocalValue(), 1);
  EXPECT_EQ(record_.trainings, 1);
}

TEST_F(DeviceSessionTest, AfterItsDeathTheOutboxIsSentInsteadOfTrainingAgain) {
  MakeServer();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return record_.trainings == 1; }));
  server_->SetDown(true);  // the update is stored, but can't be sent
  ASSERT_TRUE(RunUntil([&] { return Logged("update.sent_again"); }));
  KillDevice();
  files_.Crash();
  server_->SetDown(false);

  EXPECT_THAT(RunDevice(), IsOk());

  EXPECT_EQ(record_.trainings, 1);
  EXPECT_EQ(server_->counts().check_ins, 2);  // before the death, and after the update
  EXPECT_THAT(server_->taken(), SizeIs(1));
}

TEST_F(DeviceSessionTest, ARefusedUpdateIsDroppedAndTheNextRoundBegins) {
  MakeServer();
  int refusals = 0;
  server_->on_send = [&](const wire::UploadBegin&) -> std::optional<StatusOr<wire::UploadReply>> {
    if (refusals++ > 0) return std::nullopt;
    return wire::UploadReply(wire::UploadRefused{"norm too large"});
  };
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_TRUE(Logged("why=\"norm too large\""));
  EXPECT_EQ(record_.trainings, 2);  // the same assignment was still open
  EXPECT_THAT(OutboxNames(), IsEmpty());
}

TEST_F(DeviceSessionTest, AnUpdateThatCanNeverBeTakenIsDropped) {
  for (const StatusCode code : {StatusCode::kInvalidArgument, StatusCode::kNotFound,
                                StatusCode::kAlreadyExists, StatusCode::kFailedPrecondition}) {
    SCOPED_TRACE(static_cast<int>(code));
    record_ = {};
    MakeServer();
    int tries = 0;
    server_->on_send = [&](const wire::UploadBegin&) -> std::optional<StatusOr<wire::UploadReply>> {
      if (tries++ > 0) return std::nullopt;
      return Status(code, "no");
    };
    EXPECT_THAT(RunDevice(), IsOk());
    EXPECT_EQ(record_.trainings, 2);
    EXPECT_THAT(OutboxNames(), IsEmpty());
  }
}

TEST_F(DeviceSessionTest, AnAbortedUploadIsTakenUpAgainAfterACheckIn) {
  MakeServer();
  int tries = 0;
  server_->on_send = [&](const wire::UploadBegin&) -> std::optional<StatusOr<wire::UploadReply>> {
    if (tries++ > 0) return std::nullopt;
    return Status(StatusCode::kAborted, "a newer stream took over");
  };
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_EQ(record_.trainings, 1);  // the same assignment again: what was trained is sent
  EXPECT_THAT(server_->taken(), SizeIs(1));
}

TEST_F(DeviceSessionTest, AnUpdateOfARoundThatIsOverIsDroppedAfterACheckIn) {
  MakeServer();
  server_->on_send = [](const wire::UploadBegin&) -> std::optional<StatusOr<wire::UploadReply>> {
    return Status(StatusCode::kAborted, "the round is over");
  };
  int check_ins = 0;
  server_->on_check_in =
      [&](const wire::CheckInRequest& request) -> std::optional<StatusOr<wire::CheckInReply>> {
    if (++check_ins == 1) return std::nullopt;
    wire::CheckInReply reply;
    for (const auto& ref : request.unsettled) reply.ends.push_back({ref, End::kUnknown, {}, ""});
    reply.work = wire::ComeBack{wire::ComeBack::Reason::kJobsEnded, {}, ""};
    return reply;
  };
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_THAT(OutboxNames(), IsEmpty());
}

TEST_F(DeviceSessionTest, AServerWithoutRoomIsAskedAgainWhenItSaid) {
  MakeServer();
  std::vector<absl::Time> tries;
  server_->on_send = [&](const wire::UploadBegin&) -> std::optional<StatusOr<wire::UploadReply>> {
    tries.push_back(clock_.Now());
    if (tries.size() > 1) return std::nullopt;
    return wire::UploadReply(
        wire::ComeBack{wire::ComeBack::Reason::kBusy, absl::Seconds(17), "busy"});
  };
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_EQ(tries.at(1) - tries.at(0), absl::Seconds(17));
}

TEST_F(DeviceSessionTest, AReceiptThatNamesItsEndIsSettledAtOnce) {
  script_.settle_at_once = false;
  MakeServer();
  server_->on_send =
      [](const wire::UploadBegin& begin) -> std::optional<StatusOr<wire::UploadReply>> {
    return wire::UploadReply(wire::UploadReceipt{
        begin.digest, wire::ReceiptEnd{begin.ref, End::kCounted, ModelVersion{1}, ""}});
  };
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->counts().check_ins == 2; }));
  EXPECT_THAT(server_->check_ins()[1].unsettled, IsEmpty());
  EXPECT_EQ(LocalValue(), 1);
}

TEST_F(DeviceSessionTest, TheLeaseIsRenewedWhileTheServerCanNotBeSentTo) {
  MakeServer();
  server_->on_send = [&](const wire::UploadBegin&) -> std::optional<StatusOr<wire::UploadReply>> {
    if (server_->counts().renewals >= 3) return std::nullopt;
    return Status(StatusCode::kUnavailable, "away");
  };
  EXPECT_THAT(RunDevice(), IsOk());
  const auto renewals = server_->renewals();
  ASSERT_THAT(renewals, SizeIs(3));
  EXPECT_EQ(renewals[0].stage, wire::Stage::kUploading);
  EXPECT_EQ(renewals[0].ref, server_->taken()[0].ref);
  EXPECT_GT(renewals[0].steps, 0);
}

TEST_F(DeviceSessionTest, TrainingStopsWhenTheServerSaysSo) {
  MakeServer();
  server_->on_renew = [](const wire::RenewRequest&) {
    return wire::RenewReply{false, "the round closed without you", absl::ZeroDuration()};
  };
  int steps = 0;
  plan_.steps = 1'000;
  plan_.at_step = [&](int step) {
    steps = step;
    if (step != 3 || record_.trainings > 1) return;
    // Time passes while it trains: the renewal is due, is sent, and its answer is handled.
    clock_.Advance(absl::Seconds(5));
    while (executor_->RunOne()) {
    }
  };
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return Logged("assignment.ended"); }));

  EXPECT_EQ(steps, 3);
  EXPECT_TRUE(Logged("the round closed without you"));
  EXPECT_THAT(server_->taken(), IsEmpty());
  EXPECT_EQ(server_->renewals()[0].stage, wire::Stage::kTraining);
  EXPECT_EQ(server_->renewals()[0].step, 2);
  EXPECT_EQ(server_->renewals()[0].loss, 0.25);
  server_->on_renew = nullptr;
  EXPECT_THAT(RunToTheEnd(), IsOk());  // the same assignment was open: trained anew
}

TEST_F(DeviceSessionTest, TrainingStopsAtTheDeadlineWhenNothingIsRenewed) {
  script_.assignment.renew_every = absl::ZeroDuration();
  script_.assignment.remaining = absl::Seconds(30);
  MakeServer();
  plan_.steps = 100;
  int steps = 0;
  plan_.at_step = [&](int step) {
    steps = step;
    if (record_.trainings == 1) clock_.Advance(absl::Seconds(10));
  };
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return Logged("assignment.ended"); }));
  EXPECT_EQ(steps, 3);
  EXPECT_EQ(server_->counts().renewals, 0);
}

TEST_F(DeviceSessionTest, StopEndsTrainingBetweenTwoBatches) {
  MakeServer();
  plan_.steps = 1'000;
  int steps = 0;
  plan_.at_step = [&](int step) {
    steps = step;
    if (step == 5) session_->Stop();
  };
  EXPECT_THAT(RunDevice(), StatusIs(StatusCode::kCancelled));
  EXPECT_EQ(steps, 5);
  EXPECT_THAT(server_->taken(), IsEmpty());
}

TEST_F(DeviceSessionTest, StopEndsAnythingAtAnyTime) {
  for (int n = 0;; ++n) {
    SCOPED_TRACE(n);
    record_ = {};
    MakeServer();
    StartDevice();
    bool done = false;
    for (int i = 0; i < n && !done; ++i) {
      if (ended_.has_value()) {
        done = true;
      } else if (!executor_->RunOne()) {
        clock_.Advance(executor_->NextTime() - clock_.Now());
      }
    }
    if (done) break;
    session_->Stop();
    executor_->RunUntilIdle();
    ASSERT_TRUE(ended_.has_value());
    EXPECT_TRUE(ended_->ok() || ended_->code() == StatusCode::kCancelled);
    files_.Crash();
  }
}

TEST_F(DeviceSessionTest, AnEvaluatorReportsAndUploadsNothing) {
  script_.assignment.purpose = wire::Purpose::kEvaluate;
  script_.rounds = 2;
  MakeServer();
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_EQ(record_.evaluations, 2);
  EXPECT_EQ(record_.trainings, 0);
  EXPECT_THAT(server_->taken(), IsEmpty());
  ASSERT_THAT(server_->reports(), SizeIs(2));
  EXPECT_EQ(server_->reports()[0].scalars.at("loss"), 0);  // version 0
  EXPECT_EQ(server_->reports()[1].scalars.at("loss"), 1);  // version 1
  EXPECT_EQ(server_->reports()[1].ref.assignment, AssignmentId{2});
}

TEST_F(DeviceSessionTest, ASecondGroupTravelsDownAndUp) {
  script_.assignment.update_groups = {"control", "delta"};
  plan_.extra_group = "control";
  server_ = std::make_unique<FakeServer>(script_);
  server_->AddVersion({{"model", testing::FileBytes(SmallModel(0))},
                       {"control", testing::FileBytes(SmallModel(7))},
                       {"optimizer", testing::FileBytes(SmallModel(9))}});

  EXPECT_THAT(RunDevice(), IsOk());

  EXPECT_THAT(record_.groups, ElementsAre("control"));
  EXPECT_EQ(server_->counts().downloads, 2);  // the optimizer's state is the server's own
  EXPECT_THAT(HeaderOf(server_->taken().at(0)).groups,
              ElementsAre(UpdateGroup{"control", 3}, UpdateGroup{"delta", 3}));
}

TEST_F(DeviceSessionTest, WhatTheOwnerForbidsIsNeitherFetchedNorTrained) {
  script_.assignment.config = {{"epochs", Value(std::int64_t{2'000})}};
  MakeServer();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->counts().check_ins == 3; }));
  EXPECT_EQ(server_->counts().manifests, 0);
  EXPECT_EQ(record_.trainings, 0);
  EXPECT_TRUE(Logged("asks for 2000 epochs"));
}

TEST_F(DeviceSessionTest, AModelAboveTheOwnersLimitIsNotFetched) {
  options_.limits.max_model_bytes = 10;
  MakeServer();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->counts().check_ins == 3; }));
  EXPECT_EQ(server_->counts().downloads, 0);
  EXPECT_TRUE(Logged("owner allows 10"));
}

TEST_F(DeviceSessionTest, ADeviceThatIsNotEligibleAsksForNothing) {
  MakeServer();
  int asked = 0;
  options_.eligible = [&] { return ++asked > 3; };
  const absl::Time start = clock_.Now();
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_GE(clock_.Now() - start, absl::Seconds(45));  // three waits of 15 to 30 s
  EXPECT_EQ(server_->counts().check_ins, 2);
}

TEST_F(DeviceSessionTest, AFailingTrainerIsToldAndTriedAgainEverMoreSlowly) {
  MakeServer();
  plan_.fails = Status(StatusCode::kInvalidArgument, "unknown hyper-parameter 'epoch'");
  StartDevice();
  const absl::Time start = clock_.Now();
  ASSERT_TRUE(RunUntil([&] { return record_.trainings == 8; }));
  EXPECT_GT(clock_.Now() - start, absl::Seconds(10));
  EXPECT_TRUE(Logged("unknown hyper-parameter"));
  EXPECT_EQ(server_->counts().sends, 0);
}

TEST_F(DeviceSessionTest, ATrainerThatThrowsEndsNothing) {
  MakeServer();
  plan_.at_step = [&](int) {
    if (record_.trainings == 1) throw std::runtime_error("a bug of the application");
  };
  EXPECT_THAT(RunDevice(), IsOk());
  EXPECT_TRUE(Logged("trainer threw: a bug of the application"));
  EXPECT_THAT(server_->taken(), SizeIs(1));
}

TEST_F(DeviceSessionTest, ARevokedDeviceEnds) {
  for (const StatusCode code : {StatusCode::kPermissionDenied, StatusCode::kUnauthenticated}) {
    for (std::int64_t n = 1; n <= 4; ++n) {
      SCOPED_TRACE(n);
      record_ = {};
      MakeServer();
      server_->FailAt(n, {Status(code, "revoked"), false});
      EXPECT_THAT(RunDevice(), StatusIs(code, "revoked"));
    }
  }
}

TEST_F(DeviceSessionTest, ACheckInThatCanNeverSucceedEnds) {
  MakeServer();
  server_->FailAt(1, {Status(StatusCode::kFailedPrecondition, "SDK too old"), false});
  EXPECT_THAT(RunDevice(), StatusIs(StatusCode::kFailedPrecondition, "SDK too old"));
}

TEST_F(DeviceSessionTest, WithoutAJobItWaitsForTheNextOne) {
  options_.job = "";
  MakeServer();
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return server_->counts().check_ins == 10; }));
  EXPECT_FALSE(ended_.has_value());
}

TEST_F(DeviceSessionTest, ProgressIsToldStageByStage) {
  plan_.steps = 2;
  MakeServer();
  ASSERT_OK(RunDevice());
  std::vector<Told> stages;
  for (const ClientProgress& p : progress_) stages.push_back(p.stage);
  EXPECT_THAT(stages,
              ElementsAre(Told::kWaiting, Told::kDownloading, Told::kTraining, Told::kTraining,
                          Told::kTraining, Told::kUploading, Told::kWaiting, Told::kSettled));
  EXPECT_EQ(progress_[4].step, 2);
  EXPECT_EQ(progress_[4].steps, 2);
  EXPECT_EQ(progress_[4].round, 1);
}

}  // namespace
}  // namespace fed::client
