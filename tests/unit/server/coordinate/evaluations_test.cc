// Which version an evaluator gets next.
#include "server/coordinate/evaluations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fed::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const ClientId kEva{"eva"}, kOtto{"otto"};
const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

EvaluationRecord Row(std::int64_t assignment, std::int64_t version, const ClientId& client = kEva,
                     EvaluationState state = EvaluationState::kAssigned) {
  EvaluationRecord row;
  row.assignment = {assignment};
  row.version = {version};
  row.client = client;
  row.state = state;
  return row;
}

Evaluations Every(int every, absl::Duration lease = absl::Seconds(15)) {
  EvaluationSpec spec;
  spec.every = every;
  spec.timeout = absl::Seconds(60);
  return Evaluations(spec, 10, lease);
}

TEST(EvaluationsTest, VersionsAreDueByTheirNumberAndTheLastAlways) {
  Evaluations evaluations = Every(4);
  for (int v = 0; v <= 3; ++v) evaluations.Add({v}, {}, kNow);
  EXPECT_FALSE(evaluations.NextFor(kEva).has_value());
  evaluations.Add({4}, {}, kNow);
  EXPECT_EQ(evaluations.NextFor(kEva)->value, 4);
  evaluations.Add({10}, {}, kNow);
  EXPECT_EQ(evaluations.NextFor(kEva)->value, 10);
  Evaluations never = Every(0);
  never.Add({10}, {}, kNow);
  EXPECT_FALSE(never.NextFor(kEva).has_value());
}

TEST(EvaluationsTest, TheNewestFirstThenTheOneBefore) {
  Evaluations evaluations = Every(1);
  evaluations.Add({1}, {}, kNow);
  evaluations.Add({2}, {Row(7, 2, kEva, EvaluationState::kDone)}, kNow);
  EXPECT_EQ(evaluations.NextFor(kEva)->value, 1);
  EXPECT_EQ(evaluations.NextFor(kOtto)->value, 2);
  evaluations.Forget({1});
  EXPECT_FALSE(evaluations.NextFor(kEva).has_value());
  EXPECT_TRUE(evaluations.IsDone({2}));
  EXPECT_FALSE(evaluations.IsDone({1}));
}

TEST(EvaluationsTest, ALeaseThatIsNotRenewedFreesTheVersion) {
  Evaluations evaluations = Every(1);
  evaluations.Add({1}, {}, kNow);
  evaluations.Begin(Row(1, 1), kNow);
  EXPECT_THAT(evaluations.in_use(), ElementsAre(ModelVersion{1}));
  EXPECT_TRUE(evaluations.IsBeingDone({1}));
  EXPECT_EQ(evaluations.next_wake(), kNow + absl::Seconds(15));
  EXPECT_TRUE(evaluations.Renew(kEva, {1}, kNow + absl::Seconds(14)));
  EXPECT_FALSE(evaluations.Renew(kEva, {2}, kNow));
  EXPECT_THAT(evaluations.Expire(kNow + absl::Seconds(28)), IsEmpty());

  const auto gone = evaluations.Expire(kNow + absl::Seconds(29));

  ASSERT_THAT(gone, SizeIs(1));
  EXPECT_EQ(gone[0].state, EvaluationState::kGone);
  EXPECT_EQ(evaluations.OpenOf(kEva), nullptr);
  EXPECT_EQ(evaluations.next_wake(), absl::InfiniteFuture());
  evaluations.Finish(Row(1, 1));  // its report comes all the same
  EXPECT_TRUE(evaluations.IsDone({1}));
}

TEST(EvaluationsTest, WithoutALeaseTheTimeoutAloneCounts) {
  Evaluations evaluations = Every(1, absl::ZeroDuration());
  evaluations.Add({1}, {Row(1, 1)}, kNow);
  EXPECT_THAT(evaluations.Expire(kNow + absl::Seconds(59)), IsEmpty());
  EXPECT_THAT(evaluations.Expire(kNow + absl::Seconds(60)), SizeIs(1));
}

TEST(EvaluationsTest, ALateReportDoesNotEndTheNextEvaluation) {
  Evaluations evaluations = Every(1);
  evaluations.Add({1}, {}, kNow);
  evaluations.Add({2}, {}, kNow);
  evaluations.Begin(Row(1, 1), kNow);
  evaluations.Drop(kEva);
  evaluations.Begin(Row(2, 2), kNow);

  evaluations.Finish(Row(1, 1));

  ASSERT_NE(evaluations.OpenOf(kEva), nullptr);
  EXPECT_EQ(evaluations.OpenOf(kEva)->row.assignment.value, 2);
  EXPECT_FALSE(evaluations.Drop(kOtto).has_value());
}

}  // namespace
}  // namespace fed::server
