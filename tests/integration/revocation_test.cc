// A revoked identity: what it waits for or sends ends within a second, and nothing of it counts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "tests/integration/hostile_world.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

constexpr absl::Duration kSoon = absl::Seconds(1);

// Runs it and says how long it took.
template <typename Run>
absl::Duration TimeOf(Run run) {
  const Clock& clock = Clock::Real();
  const absl::Time start = clock.Now();
  run();
  return clock.Now() - start;
}

// The hostile device is one that the server has enrolled: only such have a row to be revoked.
class RevocationTest : public HostileWorld {
 protected:
  RevocationTest() { hostile_ = Peer(server_.addresses().main, identity_); }

  const TestIdentity identity_ = Enrolled(server_, operator_.Token(Role::kClient));
  const std::string& id_ = identity_.caller.id.value;
};

TEST_F(RevocationTest, EndsAHeldPollWithinASecondAndServesItNothingMore) {
  operator_.Create({.id = "waits", .cohort = 2});
  Poll poll(hostile_.channel(), CheckInFor("waits"));
  ASSERT_TRUE(operator_.AwaitWaiting(id_));

  EXPECT_TRUE(operator_.Revoke(id_).revoked());
  StatusOr<v1::CheckInReply> reply = Status();
  EXPECT_LT(TimeOf([&] { reply = poll.Await(); }), kSoon);

  EXPECT_THAT(reply, StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
  EXPECT_THAT(hostile_.Call(&v1::Participate::Stub::CheckIn, CheckInFor("waits")),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
  EXPECT_THAT(hostile_.Call(&v1::Renewal::Stub::RenewCertificate, v1::RenewCertificateRequest()),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
  EXPECT_FALSE(operator_.IsWaiting(id_));
}

TEST_F(RevocationTest, EndsAnUploadWithinASecondAndTheRoundGoesOn) {
  const Members members = Open("revoked");
  const EncodedUpdate update = MakeUpdate(Good(members.hostile, 3));
  UploadLine line(hostile_);
  line.Begin(BeginOf(update, members.hostile.ref()));
  ASSERT_TRUE(line.Read()->has_proceed());
  line.Send(0, update.bytes.substr(0, 10'000));

  operator_.Revoke(id_);
  EXPECT_LT(TimeOf([&] { EXPECT_FALSE(line.Read()); }), kSoon);

  EXPECT_THAT(line.Finish(), StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
  const v1::Participant seen = Seen("revoked", id_);
  EXPECT_EQ(seen.receipt(), "");
  EXPECT_THAT(seen.reason(), HasSubstr("revoked"));
}

// It reads nothing meanwhile, so that the stream is still there when it is ended.
TEST_F(RevocationTest, EndsADownloadWithinASecond) {
  constexpr std::int64_t kChunks = 32;
  Parameters model;
  ASSERT_OK(model.Add({"w", Dtype::kF32, {kChunks << 18}}));
  operator_.Create({.id = "large", .training = "", .plan = "", .model = FileOf(model)});
  v1::DownloadRequest request;
  request.set_job("large");
  request.set_group("model");
  request.add_ranges()->set_count(kChunks);
  v1::Transfer::Stub stub(hostile_.channel());
  grpc::ClientContext context;
  Peer::SetDeadline(context);
  const auto stream = stub.Download(&context, request);
  v1::DownloadPiece piece;
  ASSERT_TRUE(stream->Read(&piece));

  operator_.Revoke(id_);
  std::int64_t read = 0;
  EXPECT_LT(TimeOf([&] {
              while (stream->Read(&piece)) read += static_cast<std::int64_t>(piece.data().size());
            }),
            kSoon);

  EXPECT_LT(read, (kChunks - 1) << 20) << "all of it came";
  EXPECT_THAT(Peer::Told(stream->Finish()).code(),
              AnyOf(StatusCode::kPermissionDenied, StatusCode::kCancelled));
}

TEST_F(RevocationTest, DiscardsAnUpdateOfARoundThatIsStillOpen) {
  const Members members = Open("revoked");
  const Uploaded taken =
      Upload(hostile_, MakeUpdate(Good(members.hostile, 3)), members.hostile.ref());
  ASSERT_TRUE(taken.last.has_receipt());

  operator_.Revoke(id_);
  ASSERT_TRUE(
      operator_.Await("revoked", [&] { return Seen("revoked", id_).receipt() == "DISCARDED"; }));

  EXPECT_THAT(Seen("revoked", id_).receipt_reason(), HasSubstr("revoked"));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
  EXPECT_EQ(Seen("revoked", id_).receipt(), "DISCARDED");
}

TEST_F(RevocationTest, EndsAViewersStreamWithinASecond) {
  operator_.Create({.id = "watched", .cohort = 2});
  const TestIdentity nosy = Enrolled(server_, operator_.Token(Role::kViewer));
  const Peer viewer(server_.addresses().admin, nosy);
  v1::Admin::Stub stub(viewer.channel());
  grpc::ClientContext context;
  Peer::SetDeadline(context);
  v1::JobRequest request;
  request.set_job("watched");
  const auto stream = stub.WatchJob(&context, request);
  v1::JobEvent event;
  ASSERT_TRUE(stream->Read(&event));

  operator_.Revoke(nosy.caller.id.value);
  EXPECT_LT(TimeOf([&] { EXPECT_FALSE(stream->Read(&event)); }), kSoon);

  EXPECT_THAT(Peer::Told(stream->Finish()),
              StatusIs(StatusCode::kPermissionDenied, HasSubstr("revoked")));
}

}  // namespace
}  // namespace fed::testing
