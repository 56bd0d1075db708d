// A round after a restart, from what the store knows of it.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/round/round.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::_;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::VariantWith;

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

RoundPolicy TwoOfThree() {
  return {.target_updates = 2,
          .min_updates = 1,
          .cohort_size = 3,
          .time_limit = absl::Minutes(10),
          .client_time_limit = absl::Minutes(4),
          .lease = absl::Seconds(15)};
}

Round Restored(const Round::Saved& saved, absl::Time now = kNoon) {
  return Round::Restore(RoundId{7}, TwoOfThree(), saved, now).value();
}

TEST(RoundRestoreTest, GivesEachOpenAssignmentAFullLease) {
  Round round = Restored({.remaining = absl::Minutes(5),
                          .members = {{.client = ClientId{"a"}, .remaining = absl::Minutes(1)}}});
  EXPECT_EQ(round.next_wake(), kNoon + absl::Seconds(15));
  EXPECT_THAT(round.On(Ticked{}, kNoon + absl::Seconds(14)).value(), IsEmpty());
  EXPECT_THAT(round.On(Ticked{}, kNoon + absl::Seconds(15)).value(),
              ElementsAre(VariantWith<Free>(_)));
}

TEST(RoundRestoreTest, NeverMakesADeadlineLonger) {
  const Round round =
      Restored({.remaining = absl::Hours(5),
                .members = {{.client = ClientId{"a"}, .remaining = absl::Hours(5)},
                            {.client = ClientId{"b"}, .remaining = absl::Seconds(30)}}});
  EXPECT_EQ(round.deadline(), kNoon + absl::Minutes(10));
  EXPECT_EQ(round.members().at(ClientId{"a"}).deadline, kNoon + absl::Minutes(4));
  EXPECT_EQ(round.members().at(ClientId{"b"}).deadline, kNoon + absl::Seconds(30));
}

TEST(RoundRestoreTest, CapsAssignmentsByTheRoundsDeadline) {
  const Round round =
      Restored({.remaining = absl::Seconds(20),
                .members = {{.client = ClientId{"a"}, .remaining = absl::Minutes(3)}}});
  EXPECT_EQ(round.members().at(ClientId{"a"}).deadline, kNoon + absl::Seconds(20));
}

TEST(RoundRestoreTest, KeepsEveryFate) {
  Round round = Restored(
      {.remaining = absl::Minutes(5),
       .members = {{.client = ClientId{"a"}, .state = MemberState::kDone},
                   {.client = ClientId{"b"},
                    .state = MemberState::kGone,
                    .reason = "left",
                    .remaining = absl::Minutes(1)},
                   {.client = ClientId{"c"}, .state = MemberState::kRejected, .reason = "NaN"},
                   {.client = ClientId{"d"}, .remaining = absl::Minutes(1)}}});

  EXPECT_EQ(round.updates(), 1);
  EXPECT_EQ(round.open_places(), 1);
  EXPECT_THAT(round.Expects(ClientId{"a"}), StatusIs(StatusCode::kAlreadyExists));
  EXPECT_THAT(round.Expects(ClientId{"b"}), IsOk());
  EXPECT_THAT(round.Expects(ClientId{"c"}),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("NaN")));
  EXPECT_THAT(round.On(Drawn{ClientId{"c"}}, kNoon), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(round.On(Returned{ClientId{"b"}}, kNoon).value(),
              ElementsAre(VariantWith<Assign>(_)));
}

// The process died between the receipt and CLOSING.
TEST(RoundRestoreTest, ClosesAtTheFirstTickIfTheTargetWasReached) {
  Round round = Restored({.remaining = absl::Minutes(5),
                          .members = {{.client = ClientId{"a"}, .state = MemberState::kDone},
                                      {.client = ClientId{"b"}, .state = MemberState::kDone}}});
  EXPECT_THAT(round.On(Ticked{}, kNoon).value(), ElementsAre(VariantWith<CloseUploads>(_)));
}

TEST(RoundRestoreTest, ClosesAtTheFirstTickIfItsTimeIsUp) {
  Round round = Restored({.remaining = -absl::Seconds(1)});
  EXPECT_THAT(round.On(Ticked{}, kNoon).value(), ElementsAre(VariantWith<CloseUploads>(_)));
}

TEST(RoundRestoreTest, FoldsAnewIfItWasClosing) {
  Round round = Restored({.phase = RoundPhase::kClosing,
                          .members = {{.client = ClientId{"a"}, .state = MemberState::kDone}}});
  EXPECT_EQ(round.next_wake(), absl::InfiniteFuture());
  EXPECT_THAT(round.On(UploadsClosed{1}, kNoon).value(), ElementsAre(VariantWith<Fold>(_)));
  EXPECT_THAT(round.On(Folded{}, kNoon).value(), ElementsAre(VariantWith<Commit>(_)));
}

TEST(RoundRestoreTest, DiscardsWhatWasCancelledBefore) {
  Round round = Restored({.phase = RoundPhase::kClosing, .cancelled = "job stopped"});
  EXPECT_THAT(round.On(UploadsClosed{2}, kNoon).value(), ElementsAre(VariantWith<Discard>(_)));
  EXPECT_EQ(round.failure(), "job stopped");
}

TEST(RoundRestoreTest, RefusesWhatARoundCannotBe) {
  EXPECT_THAT(Round::Restore(RoundId{7}, TwoOfThree(),
                             {.remaining = absl::Minutes(5),
                              .members = {{.client = ClientId{"a"}}, {.client = ClientId{"a"}}}},
                             kNoon),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("two assignments")));
  EXPECT_THAT(Round::Restore(RoundId{7}, TwoOfThree(), {.phase = RoundPhase::kPublished}, kNoon),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("open or closing")));
}

}  // namespace
}  // namespace fed::server
