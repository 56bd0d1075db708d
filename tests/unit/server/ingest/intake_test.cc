// The way in, one device at a time and two streams of one device.
#include "server/ingest/intake.h"

#include "common/base/bytes.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"
#include "tests/unit/server/ingest/intake_world.h"

namespace fed::server {
namespace {

using ::fed::testing::EncodedUpdate;
using ::fed::testing::IsOk;
using ::fed::testing::MakeUpdate;
using ::fed::testing::SomeValues;
using ::fed::testing::StatusIs;
using ::fed::testing::UpdateContents;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

constexpr AssignmentId kFirst{1};

UpdateContents ThreeTiles(std::uint64_t seed = 1) {
  UpdateContents contents;
  contents.groups = {{"delta", SomeValues(20'000, seed)}};
  return contents;
}

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() { world_.Assign("ann", kFirst, TermsOf(ThreeTiles())); }

  IntakeWorld world_;
  const EncodedUpdate update_ = MakeUpdate(ThreeTiles());
};

TEST_F(IntakeTest, TakesAnUpdateAndGivesAReceipt) {
  const Stream stream = world_.Upload("ann", update_);

  EXPECT_EQ(stream.offset(), 0);
  EXPECT_TRUE(stream.has_receipt());
  EXPECT_THAT(stream.replies(), SizeIs(2));
  ASSERT_OK_AND_ASSIGN(const Receipt receipt, world_.ReceiptOf(kFirst));
  EXPECT_EQ(receipt.client, ClientId{"ann"});
  EXPECT_EQ(receipt.joins, RoundId{1});
  EXPECT_EQ(receipt.digest, update_.digest.ToHex());
  EXPECT_EQ(receipt.bytes, update_.total_bytes());
  EXPECT_EQ(receipt.codec, "fp32");
  EXPECT_EQ(receipt.weight, 10);
  EXPECT_GT(receipt.norm, 0);
  EXPECT_THAT(receipt.scalars, ElementsAre(Pair("examples", 10)));
  EXPECT_EQ(receipt.accepted_at, world_.clock.WallNow());
  EXPECT_EQ(world_.SpooledBytes(receipt), update_.bytes);
  ASSERT_THAT(world_.gate.accepted(), SizeIs(1));
  EXPECT_EQ(world_.gate.accepted()[0].assignment, kFirst);
}

TEST_F(IntakeTest, TellsTheRpcWhenEachPieceIsConsumed) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.Send(update_, 0, 30'000, 10'000);

  EXPECT_EQ(stream.consumed(), 0);
  world_.Run();
  EXPECT_EQ(stream.consumed(), 3);
}

TEST_F(IntakeTest, ConsumesPiecesOfAnUploadThatIsOver) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.upload().Cancel();
  stream.Send(update_, 0, 30'000, 10'000);
  world_.Run();

  EXPECT_EQ(stream.consumed(), 3);
}

TEST_F(IntakeTest, GivesADuplicateTheSameReceiptWithoutItsBytes) {
  world_.Upload("ann", update_);
  const Stream again = world_.Upload("ann", update_);

  EXPECT_EQ(again.offset(), -1);
  EXPECT_TRUE(again.has_receipt());
  EXPECT_THAT(world_.gate.accepted(), SizeIs(1));
}

TEST_F(IntakeTest, TellsTheEndToAClientWhoseAckWasLostUntilTheRoundHadClosed) {
  world_.Upload("ann", update_);
  ASSERT_OK(world_.store.Write([](StoreEdit& edit) {
    return edit.EndReceipt(JobId{"job-a"}, kFirst, ReceiptEnd::kCounted, ModelVersion{1}, "");
  }));
  world_.CloseRound(RoundState::kPublished);
  world_.gate.Answer(Status(StatusCode::kAborted, "round 1 is over"));

  const Stream again = world_.Upload("ann", update_);

  ASSERT_THAT(again.replies(), SizeIs(1));
  ASSERT_OK(again.replies()[0]);
  const auto& receipt = std::get<wire::UploadReceipt>(again.replies()[0].value());
  ASSERT_TRUE(receipt.end.has_value());
  EXPECT_EQ(receipt.end->end, wire::ReceiptEnd::End::kCounted);
  EXPECT_EQ(receipt.end->version, ModelVersion{1});
}

TEST_F(IntakeTest, TellsWhyAReceiptWasDiscarded) {
  world_.Upload("ann", update_);
  ASSERT_OK(world_.store.Write([](StoreEdit& edit) {
    return edit.EndReceipt(JobId{"job-a"}, kFirst, ReceiptEnd::kDiscarded, {}, "job stopped");
  }));

  const Stream again = world_.Upload("ann", update_);

  ASSERT_THAT(again.replies(), SizeIs(1));
  ASSERT_OK(again.replies()[0]);
  const auto& receipt = std::get<wire::UploadReceipt>(again.replies()[0].value());
  ASSERT_TRUE(receipt.end.has_value());
  EXPECT_EQ(receipt.end->end, wire::ReceiptEnd::End::kDiscarded);
  EXPECT_EQ(receipt.end->reason, "job stopped");
}

TEST_F(IntakeTest, RefusesAnotherUpdateOfAnAssignmentThatHasAReceipt) {
  world_.Upload("ann", update_);
  const Stream other = world_.Upload("ann", MakeUpdate(ThreeTiles(2)));

  EXPECT_THAT(other.error(), StatusIs(StatusCode::kAlreadyExists,
                                      HasSubstr(update_.digest.ToHex() + " of assignment 1")));
  ASSERT_OK_AND_ASSIGN(const Receipt receipt, world_.ReceiptOf(kFirst));
  EXPECT_EQ(world_.SpooledBytes(receipt), update_.bytes);
}

TEST_F(IntakeTest, NeverTellsAClientOfAnothersAssignment) {
  const Stream before = world_.Upload("bob", update_);
  world_.Upload("ann", update_);
  const Stream after = world_.Upload("bob", update_);

  EXPECT_THAT(before.error(), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(after.error(), StatusIs(StatusCode::kNotFound, HasSubstr("of this client")));
}

TEST_F(IntakeTest, AStrangerDoesNotEndTheOwnersStream) {
  Stream owner = world_.Begin("ann", BeginOf(update_));
  world_.Begin("bob", BeginOf(update_));
  owner.Send(update_, 0, update_.total_bytes());
  world_.Run();

  EXPECT_TRUE(owner.has_receipt());
}

TEST_F(IntakeTest, SaysThatTheRoundIsOverBeforeAByteIsSent) {
  world_.gate.Answer(Status(StatusCode::kAborted, "round 1 is over"));
  const Stream stream = world_.Upload("ann", update_);

  EXPECT_THAT(stream.replies(), SizeIs(1));
  EXPECT_THAT(stream.error(), StatusIs(StatusCode::kAborted, "round 1 is over"));
}

TEST_F(IntakeTest, AbortsAnUpdateWhoseRoundClosedMeanwhileAndDropsItsBytes) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  world_.CloseRound();
  stream.Send(update_, 0, update_.total_bytes());
  world_.Run();

  EXPECT_THAT(stream.error(), StatusIs(StatusCode::kAborted, HasSubstr("round 1 closed")));
  EXPECT_THAT(world_.ReceiptOf(kFirst), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(world_.spool().List().value(), IsEmpty());
  EXPECT_THAT(world_.gate.accepted(), IsEmpty());
}

TEST_F(IntakeTest, RejectsAnAssignmentWhoseUpdateCanNeverCount) {
  UpdateContents contents = ThreeTiles();
  contents.scalars["examples"] = 0;
  const Stream stream = world_.Upload("ann", MakeUpdate(contents));

  EXPECT_THAT(stream.refusal(), HasSubstr("scalar 'examples' is 0"));
  EXPECT_THAT(world_.gate.rejected(),
              ElementsAre(Pair(kFirst, HasSubstr("scalar 'examples' is 0"))));
  EXPECT_THAT(world_.ReceiptOf(kFirst), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(world_.spool().List().value(), IsEmpty());
}

TEST_F(IntakeTest, RejectsAnnouncedSizesThatCanNotBe) {
  wire::UploadBegin begin = BeginOf(update_);
  begin.table_bytes -= 36;
  const Stream stream = world_.Begin("ann", begin);

  EXPECT_EQ(stream.offset(), -1);
  EXPECT_THAT(stream.refusal(), HasSubstr("tile table of 72 bytes: expected 108 (3 tiles)"));
}

TEST_F(IntakeTest, RepeatsTheRefusalOfARejectedAssignment) {
  UpdateContents contents = ThreeTiles();
  contents.scalars["bribe"] = 1;
  world_.Upload("ann", MakeUpdate(contents));
  const Stream again = world_.Upload("ann", update_);

  EXPECT_THAT(again.refusal(), HasSubstr("scalar 'bribe' is not taken"));
  EXPECT_OK(again.error());
}

TEST_F(IntakeTest, KeepsCheckedTilesOfATruncatedUpdate) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.Send(update_, 0, update_.tile_ends[1] + 100);
  stream.upload().Finish();
  world_.Run();
  const Stream again = world_.Begin("ann", BeginOf(update_));

  EXPECT_THAT(stream.error(),
              StatusIs(StatusCode::kUnavailable, HasSubstr("open a new stream for the rest")));
  EXPECT_EQ(again.offset(), update_.tile_ends[1]);
  EXPECT_THAT(world_.gate.rejected(), IsEmpty());
}

TEST_F(IntakeTest, EndsAStreamThatIsOutOfStepWithoutBlamingTheUpdate) {
  Stream gap = world_.Begin("ann", BeginOf(update_));
  gap.Send(update_, 5, 10);
  world_.Run();
  Stream beyond = world_.Begin("ann", BeginOf(update_));
  beyond.upload().Append(0, update_.bytes + "x", [] {});
  world_.Run();

  EXPECT_THAT(gap.error(), StatusIs(StatusCode::kInvalidArgument,
                                    HasSubstr("piece of 5 bytes at 5: expected at most")));
  EXPECT_THAT(beyond.error(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("at 0")));
  EXPECT_THAT(world_.gate.rejected(), IsEmpty());
  EXPECT_TRUE(world_.Upload("ann", update_).has_receipt());
}

TEST_F(IntakeTest, EndsAStreamWhosePieceIsLargerThanItWasTold) {
  IntakeWorld world({.piece_bytes = 16'384});
  world.Assign("ann", kFirst, TermsOf(ThreeTiles()));
  Stream stream = world.Begin("ann", BeginOf(update_));
  stream.Send(update_, 0, 16'385, 16'385);
  world.Run();

  EXPECT_THAT(stream.error(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("expected at most 16384 at 0")));
}

TEST_F(IntakeTest, ANewerStreamFencesTheOlderOneBeforeItIsToldItsOffset) {
  Stream older = world_.Begin("ann", BeginOf(update_));
  older.Send(update_, 0, update_.tile_ends[0] + 10);
  world_.Run();
  Stream newer = world_.Begin("ann", BeginOf(update_));
  older.Send(update_, update_.tile_ends[0] + 10, update_.total_bytes());
  world_.Run();

  EXPECT_THAT(older.error(), StatusIs(StatusCode::kAborted, HasSubstr("a newer stream")));
  EXPECT_FALSE(older.has_receipt());
  EXPECT_EQ(newer.offset(), update_.tile_ends[0]);
  newer.Send(update_, newer.offset(), update_.total_bytes());
  world_.Run();
  EXPECT_TRUE(newer.has_receipt());
  EXPECT_EQ(world_.SpooledBytes(world_.ReceiptOf(kFirst).value()), update_.bytes);
}

TEST_F(IntakeTest, ANewerStreamFencesBytesThatAreStillQueued) {
  Stream older = world_.Begin("ann", BeginOf(update_));
  const EncodedUpdate other = MakeUpdate(ThreeTiles(2));
  older.Send(update_, 0, update_.tile_ends[0]);
  Stream newer = world_.Begin("ann", BeginOf(other));
  older.Send(update_, update_.tile_ends[0], update_.total_bytes());
  newer.Send(other, 0, other.total_bytes());
  world_.Run();

  EXPECT_THAT(older.error(), StatusIs(StatusCode::kAborted));
  EXPECT_TRUE(newer.has_receipt());
  EXPECT_EQ(world_.SpooledBytes(world_.ReceiptOf(kFirst).value()), other.bytes);
}

TEST_F(IntakeTest, AnotherDigestDiscardsThePartialUpdate) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.Send(update_, 0, update_.tile_ends[1]);
  world_.Run();
  const EncodedUpdate other = MakeUpdate(ThreeTiles(2));

  EXPECT_EQ(world_.Begin("ann", BeginOf(other)).offset(), 0);
  EXPECT_EQ(world_.Begin("ann", BeginOf(update_)).offset(), 0);
}

TEST_F(IntakeTest, NoReplyComesAfterCancelAndNothingIsAccepted) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.Send(update_, 0, update_.total_bytes());
  stream.upload().Cancel();
  world_.Run();

  EXPECT_THAT(stream.replies(), SizeIs(1));
  EXPECT_THAT(world_.ReceiptOf(kFirst), StatusIs(StatusCode::kNotFound));
}

TEST_F(IntakeTest, NoErrorComesAfterCancelEither) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.Send(update_, 5, 10);  // out of step
  stream.upload().Cancel();
  world_.Run();

  EXPECT_THAT(stream.replies(), SizeIs(1)) << "only the offset";
}

TEST_F(IntakeTest, WhatACancelledStreamCompletedIsAcceptedByTheNextOne) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  stream.Send(update_, 0, update_.total_bytes());
  stream.upload().Cancel();
  world_.Run();
  const Stream next = world_.Begin("ann", BeginOf(update_));

  EXPECT_EQ(next.offset(), update_.total_bytes());
  EXPECT_TRUE(next.has_receipt());
}

TEST_F(IntakeTest, CanBeCancelledWithinAReply) {
  std::shared_ptr<Upload> upload;
  int replies = 0;
  upload = world_.intake().Begin({ClientId{"ann"}}, BeginOf(update_), [&](auto) {
    ++replies;
    upload->Cancel();
  });
  world_.Run();
  upload->Append(0, update_.bytes, [] {});
  world_.Run();

  EXPECT_EQ(replies, 1);
}

TEST_F(IntakeTest, ARevokedIdentityGetsNoReceipt) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  ASSERT_OK(world_.store.Write([](StoreEdit& edit) {
    FED_ASSIGN_OR_RETURN(ClientRecord client, edit.Client(ClientId{"ann"}));
    client.revoked = true;
    return edit.PutClient(client);
  }));
  stream.Send(update_, 0, update_.total_bytes());
  world_.Run();

  EXPECT_THAT(stream.error(), StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
  EXPECT_THAT(world_.ReceiptOf(kFirst), StatusIs(StatusCode::kNotFound));
}

TEST_F(IntakeTest, TellsDevicesToComeBackWhenAllPlacesAreTaken) {
  IntakeWorld world({.max_uploads = 1, .come_back_after = absl::Seconds(3)});
  world.Assign("ann", kFirst, TermsOf(ThreeTiles()));
  UpdateContents contents = ThreeTiles();
  contents.assignment = {2};
  world.Assign("bob", {2}, TermsOf(contents));
  const EncodedUpdate second = MakeUpdate(contents);

  Stream ann = world.Begin("ann", BeginOf(update_));
  const Stream bob = world.Begin("bob", BeginOf(second, {2}));
  Stream ann_again = world.Begin("ann", BeginOf(update_));
  ASSERT_NE(bob.come_back(), nullptr);
  EXPECT_EQ(bob.come_back()->reason, wire::ComeBack::Reason::kBusy);
  EXPECT_EQ(bob.come_back()->after, absl::Seconds(3));
  EXPECT_EQ(ann_again.offset(), 0) << "it took the place of its older stream";

  ann_again.Drop();
  EXPECT_TRUE(world.Upload("bob", second, {2}).has_receipt()) << "a dropped stream gives its place";
}

TEST_F(IntakeTest, SaysNothingWhenTheReceiptsCommitHasAnUnknownOutcome) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  world_.store.FailWrites(Status(StatusCode::kUnknown, "commit: disk I/O error"));
  stream.Send(update_, 0, update_.total_bytes());
  world_.Run();

  EXPECT_EQ(world_.gate.unknown(), 1);
  EXPECT_THAT(stream.replies(), SizeIs(1)) << "only the offset";

  world_.store.FailWrites({});
  world_.Restart();
  EXPECT_TRUE(world_.Begin("ann", BeginOf(update_)).has_receipt()) << "it had happened";
}

TEST_F(IntakeTest, ComesBackToAStoreThatWasBusyWithoutSendingAByteAgain) {
  Stream stream = world_.Begin("ann", BeginOf(update_));
  world_.store.FailWrites(Status(StatusCode::kUnavailable, "/state/db: disk I/O error"));
  stream.Send(update_, 0, update_.total_bytes());
  world_.Run();
  world_.store.FailWrites({});
  const Stream next = world_.Begin("ann", BeginOf(update_));

  EXPECT_THAT(stream.error(),
              StatusIs(StatusCode::kUnavailable, ::testing::Not(HasSubstr("/state"))));
  EXPECT_EQ(next.offset(), update_.total_bytes());
  EXPECT_TRUE(next.has_receipt());
}

}  // namespace
}  // namespace fed::server
