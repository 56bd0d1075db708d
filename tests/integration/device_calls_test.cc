// What a device is told, call by call: polls, leases, manifests, chunks, ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/codec/manifest.h"
#include "proto/wire/convert.h"
#include "tests/integration/hostile_world.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::HasSubstr;

class DeviceCalls : public HostileWorld {
 protected:
  StatusOr<v1::RenewReply> Renew(const Peer& peer, const v1::AssignmentRef& ref) {
    v1::RenewRequest request;
    *request.mutable_ref() = ref;
    request.set_stage(v1::RenewRequest::STAGE_TRAINING);
    request.set_step(3);
    request.set_steps(7);
    request.set_loss(0.5);
    return peer.Call(&v1::Participate::Stub::Renew, request);
  }

  Status Download(const v1::DownloadRequest& request, std::string& bytes) {
    v1::Transfer::Stub stub(honest_.channel());
    grpc::ClientContext context;
    Peer::SetDeadline(context);
    const auto stream = stub.Download(&context, request);
    for (v1::DownloadPiece piece; stream->Read(&piece);) bytes += piece.data();
    return Peer::Told(stream->Finish());
  }
};

TEST_F(DeviceCalls, ANewerPollOfAnIdentityEndsTheOlderOne) {
  operator_.Create({.id = "waits", .cohort = 2});
  Poll older(honest_.channel(), CheckInFor("waits"));
  ASSERT_TRUE(LookUntil([&] { return operator_.Show("waits").devices_waiting() == 1; }));

  Poll newer(honest_.channel(), CheckInFor("waits"));

  EXPECT_THAT(older.Await(), StatusIs(StatusCode::kAborted));
  EXPECT_EQ(operator_.Show("waits").devices_waiting(), 1);
}

TEST_F(DeviceCalls, AnOpenAssignmentIsGivenAgain) {
  const Members members = Open("again");

  const auto again = AwaitAssignments({&honest_}, "again").front();

  EXPECT_EQ(again.ref().assignment(), members.honest.ref().assignment());
  EXPECT_EQ(again.seed(), members.honest.seed());
  EXPECT_LE(again.remaining_ms(), members.honest.remaining_ms());
}

TEST_F(DeviceCalls, ARenewalCarriesProgressAndStopsWhatNoLongerCounts) {
  const Members members = Open("renewed");

  const auto reply = Must(Renew(hostile_, members.hostile.ref()));
  EXPECT_TRUE(reply.go_on());
  EXPECT_GT(reply.remaining_ms(), 0);
  const v1::Participant seen = Seen("renewed", "hostile");
  EXPECT_EQ(seen.stage(), "training");
  EXPECT_EQ(seen.step(), 3);
  EXPECT_EQ(seen.steps(), 7);
  EXPECT_EQ(seen.loss(), 0.5);
  EXPECT_FALSE(Must(Renew(hostile_, members.honest.ref())).go_on()) << "another client's";

  PublishedBy(members);
  const auto stop = Must(Renew(hostile_, members.hostile.ref()));
  EXPECT_FALSE(stop.go_on());
  EXPECT_THAT(stop.reason(), HasSubstr("no longer counts"));
}

TEST_F(DeviceCalls, ADeviceThatFallsSilentIsReplaced) {
  operator_.Create({.id = "silent", .in_rounds = "renew_every = \"50ms\"\nlease = \"200ms\""});
  const auto gone = AwaitAssignments({&hostile_}, "silent").front();

  const auto instead = AwaitAssignments({&honest_}, "silent").front();

  EXPECT_EQ(instead.round(), gone.round());
  EXPECT_NE(instead.ref().assignment(), gone.ref().assignment());
  EXPECT_EQ(Seen("silent", "hostile").state(), "GONE");
}

TEST_F(DeviceCalls, ARoundThatMissesItsDeadlineFailsAndSaysSoToWhoeverHadSent) {
  operator_.Create({.id = "late",
                    .cohort = 2,
                    .in_rounds = "renew_every = \"0s\"\ntime_limit = \"1s\"\nmax_failed = 1",
                    .plan = kWidePlan});
  const auto assigned = AwaitAssignments({&honest_, &hostile_}, "late");
  ASSERT_TRUE(
      Upload(honest_, MakeUpdate(Good(assigned[0], 1)), assigned[0].ref()).last.has_receipt());

  ASSERT_TRUE(operator_.Await(
      "late", [&] { return operator_.Show("late").state() == v1::JOB_STATE_PAUSED; }));

  EXPECT_THAT(operator_.Show("late").reason(), HasSubstr("1 rounds failed in a row"));
  const v1::Round round = operator_.Round("late", 1).round();
  EXPECT_EQ(round.state(), "FAILED");
  EXPECT_THAT(round.reason(), HasSubstr("1"));
  EXPECT_EQ(Seen("late", "honest").receipt(), "DISCARDED");
  EXPECT_EQ(Seen("late", "honest").receipt_reason(), round.reason());
  v1::CheckInRequest request = CheckInFor("late");
  *request.add_unsettled() = assigned[0].ref();
  const auto reply = Must(honest_.Call(&v1::Participate::Stub::CheckIn, request));
  ASSERT_EQ(reply.ends_size(), 1);
  EXPECT_EQ(reply.ends(0).end(), v1::ReceiptEnd::END_DISCARDED);
  EXPECT_EQ(reply.ends(0).reason(), round.reason());
  EXPECT_EQ(operator_.Show("late").latest_version(), 0);
}

TEST_F(DeviceCalls, AStoppedJobDiscardsWhatItHadTakenAndTellsItsDevices) {
  const Members members = Open("stopped");
  ASSERT_TRUE(Upload(honest_, MakeUpdate(Good(members.honest, 1)), members.honest.ref())
                  .last.has_receipt());
  v1::JobRequest stop;
  stop.set_job("stopped");

  EXPECT_EQ(Must(operator_.peer().Call(&v1::Admin::Stub::StopJob, stop)).state(),
            v1::JOB_STATE_STOPPED);

  v1::CheckInRequest request = CheckInFor("stopped");
  const auto reply = Must(other_.Call(&v1::Participate::Stub::CheckIn, request));
  EXPECT_EQ(reply.come_back().reason(), v1::ComeBack::REASON_JOBS_ENDED);
  ASSERT_TRUE(LookUntil([&] { return Seen("stopped", "honest").receipt() == "DISCARDED"; }));
  EXPECT_THAT(Seen("stopped", "honest").receipt_reason(), HasSubstr("stopped"));
  EXPECT_THAT(Upload(other_, MakeUpdate(Good(members.other, 2)), members.other.ref()).status,
              StatusIs(StatusCode::kAborted, HasSubstr("closed")));
}

TEST_F(DeviceCalls, AManifestNamesTheBytesThatADownloadBrings) {
  const Members members = Open("bytes");
  v1::GetManifestRequest manifest_request;
  manifest_request.set_job("bytes");
  const auto message = Must(honest_.Call(&v1::Transfer::Stub::GetManifest, manifest_request));
  const Manifest manifest = Must(wire::Decode(message));
  const Digest digest = ManifestDigest(manifest);
  EXPECT_EQ(members.honest.manifest_digest(),
            std::string(digest.bytes.begin(), digest.bytes.end()));
  v1::DownloadRequest request;
  request.set_job("bytes");
  request.set_group("model");
  request.add_ranges()->set_count(1);

  std::string bytes;
  EXPECT_OK(Download(request, bytes));

  EXPECT_EQ(static_cast<std::int64_t>(bytes.size()), message.files(0).bytes());
  EXPECT_EQ(manifest.files.front().digest.ToHex(), operator_.DigestOf("bytes", 0));
}

TEST_F(DeviceCalls, WhatThereIsNotCanNotBeDownloaded) {
  Open("bytes");
  std::string bytes;
  v1::DownloadRequest request;
  request.set_job("bytes");
  request.set_group("model");
  v1::ChunkRange& range = *request.add_ranges();
  range.set_first(1);
  range.set_count(1);

  EXPECT_THAT(Download(request, bytes),
              StatusIs(StatusCode::kOutOfRange, "chunks 1 to 1 asked for; the file has 1"));
  range.set_first(0);
  request.set_group("control");
  EXPECT_THAT(Download(request, bytes), StatusIs(StatusCode::kNotFound));
  request.set_group("model");
  request.set_version(1);
  EXPECT_THAT(Download(request, bytes), StatusIs(StatusCode::kNotFound));
  request.set_version(0);
  request.set_job("other-job");
  EXPECT_THAT(Download(request, bytes), StatusIs(StatusCode::kNotFound));
  request.set_job("bytes");
  request.clear_ranges();
  EXPECT_THAT(Download(request, bytes), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(bytes, "");
}

}  // namespace
}  // namespace fed::testing
