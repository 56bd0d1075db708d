// Which versions stay.
#include "server/coordinate/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fed::server {
namespace {

using Versions = std::set<ModelVersion>;

Versions Of(const std::vector<std::int64_t>& numbers) {
  Versions versions;
  for (const std::int64_t number : numbers) versions.insert({number});
  return versions;
}

RetentionSpec Spec(int last, int every = 0, const std::string& best = "") {
  RetentionSpec spec;
  spec.last = last;
  spec.every = every;
  spec.best = best;
  return spec;
}

EvaluationRecord Done(double accuracy, EvaluationState state = EvaluationState::kDone) {
  EvaluationRecord row;
  row.state = state;
  row.scalars = {{"accuracy", accuracy}};
  return row;
}

TEST(RetentionTest, TheLastEveryKthTheBestAndThoseInUseStay) {
  const Versions all = Of({0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(VersionsToKeep(Spec(2), all, {}, {}), Of({6, 7}));
  EXPECT_EQ(VersionsToKeep(Spec(0), all, {}, {}), Of({7}));  // the newest always
  EXPECT_EQ(VersionsToKeep(Spec(1, 3), all, {}, {}), Of({0, 3, 6, 7}));
  EXPECT_EQ(VersionsToKeep(Spec(1), all, {{{2}, 0.5}, {{3}, 0.9}, {{4}, 0.9}}, {}), Of({4, 7}));
  EXPECT_EQ(VersionsToKeep(Spec(1), all, {}, Of({1})), Of({1, 7}));
  EXPECT_EQ(VersionsToKeep(Spec(20), all, {}, {}), all);
}

TEST(RetentionTest, AScoreIsTheMeanOfWhatIsDone) {
  double score = 0;
  EXPECT_FALSE(ScoreOf(Spec(1, 0, "accuracy"), {}, &score));
  EXPECT_FALSE(ScoreOf(Spec(1, 0, "loss"), {Done(0.5)}, &score));
  EXPECT_FALSE(ScoreOf(Spec(1, 0, "accuracy"), {Done(0.5, EvaluationState::kGone)}, &score));
  ASSERT_TRUE(ScoreOf(Spec(1, 0, "accuracy"), {Done(0.5), Done(1.0)}, &score));
  EXPECT_EQ(score, 0.75);
  ASSERT_TRUE(ScoreOf(Spec(1, 0, "-accuracy"), {Done(0.5)}, &score));
  EXPECT_EQ(score, -0.5);
}

}  // namespace
}  // namespace fed::server
