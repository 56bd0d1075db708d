// Streams that are wrong, doubled, cut off or late.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/integration/hostile_world.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;

using HostileStream = HostileWorld;

TEST_F(HostileStream, AnotherClientsAssignmentIsNobodys) {
  const Members members = Open("wrong");
  const EncodedUpdate stolen = MakeUpdate(Good(members.honest, 3));

  const Uploaded uploaded = Upload(hostile_, stolen, members.honest.ref());

  EXPECT_THAT(uploaded.status, StatusIs(StatusCode::kNotFound, HasSubstr("of this client")));
  EXPECT_EQ(Seen("wrong", "honest").state(), "ASSIGNED");
  EXPECT_EQ(PublishedBy(members), Undisturbed());
  EXPECT_EQ(Seen("wrong", "hostile").receipt(), "");
}

TEST_F(HostileStream, AnotherClientsReceiptIsNotTold) {
  const Members members = Open("wrong");
  const std::string digest = PublishedBy(members);
  const EncodedUpdate theirs = MakeUpdate(Good(members.honest, 1));

  EXPECT_THAT(Upload(hostile_, theirs, members.honest.ref()).status,
              StatusIs(StatusCode::kNotFound, HasSubstr("of this client")));
  EXPECT_EQ(digest, Undisturbed());
}

TEST_F(HostileStream, AnotherJobsAssignmentIsNotFound) {
  const Members members = Open("wrong");
  const EncodedUpdate update = MakeUpdate(Good(members.hostile, 3));
  v1::AssignmentRef ref = members.hostile.ref();
  ref.set_job("no-such-job");

  EXPECT_THAT(Upload(hostile_, update, ref).status, StatusIs(StatusCode::kNotFound));
  ref.set_job("wrong");
  ref.set_assignment(4'711);
  EXPECT_THAT(Upload(hostile_, update, ref).status, StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, ACutOffStreamGoesOnAtTheLastCheckedTile) {
  const Members members = Open("cut");
  const EncodedUpdate update = MakeUpdate(Good(members.honest, 1));
  const v1::UploadBegin begin = BeginOf(update, members.honest.ref());
  const std::int64_t middle_of_tile_1 = update.tile_ends[0] + 1'000;

  const Uploaded cut = Upload(honest_, begin, update.bytes, middle_of_tile_1);
  EXPECT_THAT(cut.status, StatusIs(StatusCode::kUnavailable, HasSubstr("open a new stream")));
  EXPECT_EQ(cut.from, 0);
  EXPECT_EQ(Seen("cut", "honest").receipt(), "");

  const Uploaded rest = Upload(honest_, begin, update.bytes);
  EXPECT_THAT(rest.status, IsOk());
  EXPECT_EQ(rest.from, update.tile_ends[0]);
  EXPECT_TRUE(rest.last.has_receipt());
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, PiecesOutOfOrderEndTheStreamAndNotTheAssignment) {
  const Members members = Open("order");
  const EncodedUpdate update = MakeUpdate(Good(members.honest, 1));
  UploadLine line(honest_);
  line.Begin(BeginOf(update, members.honest.ref()));
  ASSERT_TRUE(line.Read()->has_proceed());

  line.Send(5'000, update.bytes.substr(5'000, 100));

  EXPECT_FALSE(line.Read());
  EXPECT_THAT(line.Finish(), StatusIs(StatusCode::kInvalidArgument,
                                      HasSubstr("piece of 100 bytes at 5000: expected at most")));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, BytesBeyondTheEndAreNotTaken) {
  const Members members = Open("long");
  const EncodedUpdate update = MakeUpdate(Good(members.honest, 1));
  UploadLine line(honest_);
  line.Begin(BeginOf(update, members.honest.ref()));
  ASSERT_TRUE(line.Read()->has_proceed());

  line.Send(0, update.bytes + "and more");

  EXPECT_FALSE(line.Read());
  EXPECT_THAT(line.Finish(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("expected at most")));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, AStreamThatDoesNotBeginIsRefused) {
  UploadLine silent(hostile_);
  silent.SayAll();
  EXPECT_THAT(silent.Finish(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("`begin`")));

  UploadLine blunt(hostile_);
  blunt.Send(0, "piece");
  EXPECT_THAT(blunt.Finish(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("`begin`")));
}

TEST_F(HostileStream, ANewerStreamEndsTheOlderOne) {
  const Members members = Open("newer");
  const EncodedUpdate update = MakeUpdate(Good(members.honest, 1));
  UploadLine older(honest_);
  older.Begin(BeginOf(update, members.honest.ref()));
  ASSERT_TRUE(older.Read()->has_proceed());

  const Uploaded newer = Upload(honest_, update, members.honest.ref());

  EXPECT_TRUE(newer.last.has_receipt());
  EXPECT_FALSE(older.Read());
  EXPECT_THAT(older.Finish(), StatusIs(StatusCode::kAborted, HasSubstr("a newer stream")));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, ADuplicateIsAnsweredByTheSameReceiptAndCountsOnce) {
  const Members members = Open("twice");
  const EncodedUpdate update = MakeUpdate(Good(members.honest, 1));

  const Uploaded first = Upload(honest_, update, members.honest.ref());
  const Uploaded second = Upload(honest_, update, members.honest.ref());

  ASSERT_TRUE(first.last.has_receipt());
  EXPECT_EQ(second.last.SerializeAsString(), first.last.SerializeAsString());
  EXPECT_EQ(second.from, -1) << "no byte is asked for again";
  EXPECT_EQ(Seen("twice", "honest").receipt(), "OPEN");
  EXPECT_EQ(operator_.Round("twice", 1).round().updates(), 1);
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, ASecondUpdateOfAnAssignmentAlreadyExists) {
  const Members members = Open("second");
  ASSERT_TRUE(Upload(honest_, MakeUpdate(Good(members.honest, 1)), members.honest.ref())
                  .last.has_receipt());

  const Uploaded second =
      Upload(honest_, MakeUpdate(Good(members.honest, 99)), members.honest.ref());

  EXPECT_THAT(second.status,
              StatusIs(StatusCode::kAlreadyExists,
                       MatchesRegex("update [0-9a-f]{64} of assignment .* was taken: .*")));
  EXPECT_EQ(Seen("second", "honest").receipt(), "OPEN");
  EXPECT_EQ(PublishedBy(members), Undisturbed());
}

TEST_F(HostileStream, AnUpdateForARoundThatHasEndedIsAborted) {
  const Members members = Open("stale");
  const std::string digest = PublishedBy(members);

  const Uploaded late =
      Upload(hostile_, MakeUpdate(Good(members.hostile, 3)), members.hostile.ref());

  EXPECT_THAT(late.status, StatusIs(StatusCode::kAborted, HasSubstr("round 1 is closed")));
  EXPECT_EQ(Seen("stale", "hostile").receipt(), "");
  EXPECT_EQ(operator_.DigestOf("stale", 1), digest);
  EXPECT_EQ(digest, Undisturbed());
}

TEST_F(HostileStream, ALostAckIsGivenAgainWithItsEndAfterTheRoundHasClosed) {
  const Members members = Open("lost");
  const std::string digest = PublishedBy(members);

  const Uploaded again = Upload(honest_, MakeUpdate(Good(members.honest, 1)), members.honest.ref());

  EXPECT_THAT(again.status, IsOk());
  ASSERT_TRUE(again.last.has_receipt());
  EXPECT_EQ(again.last.receipt().end().end(), v1::ReceiptEnd::END_COUNTED);
  EXPECT_EQ(again.last.receipt().end().version(), 1);
  v1::CheckInRequest request = CheckInFor("lost");
  *request.add_unsettled() = members.honest.ref();
  *request.add_unsettled() = members.other.ref();  // not this caller's: nothing is told of it
  const v1::CheckInReply reply = Must(honest_.Call(&v1::Participate::Stub::CheckIn, request));
  ASSERT_EQ(reply.ends_size(), 2);
  EXPECT_EQ(reply.ends(0).end(), v1::ReceiptEnd::END_COUNTED);
  EXPECT_EQ(reply.ends(1).end(), v1::ReceiptEnd::END_UNKNOWN);
  EXPECT_EQ(digest, Undisturbed());
}

TEST_F(HostileStream, APieceAboveTheSizeNamedIsNotTaken) {
  const Members members = Open("large");
  const EncodedUpdate update = MakeUpdate(Good(members.hostile, 3));
  UploadLine line(hostile_);
  line.Begin(BeginOf(update, members.hostile.ref()));
  ASSERT_TRUE(line.Read()->has_proceed());

  line.Send(0, std::string(5 << 20, 'x'));  // above the limit of any message

  EXPECT_FALSE(line.Read());
  EXPECT_THAT(line.Finish(), ::testing::Not(IsOk()));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
  EXPECT_EQ(Seen("large", "hostile").receipt(), "");
}

}  // namespace
}  // namespace fed::testing
