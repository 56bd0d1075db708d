// Several evaluators' scalars as one figure each.
#include "server/rpc/version_scalars.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/records.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::testing::DoubleEq;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

class VersionScalarsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(store_.Write([](StoreEdit& edit) -> Status {
      FED_RETURN_IF_ERROR(edit.PutJob(TestJob("j")));
      for (std::int64_t version = 0; version <= 2; ++version) {
        FED_RETURN_IF_ERROR(edit.PutModel(TestModel("j", version)));
      }
      return Status();
    }));
  }

  void Report(std::int64_t version, const Scalars& scalars,
              EvaluationState state = EvaluationState::kDone) {
    EvaluationRecord evaluation = TestEvaluation("j", ++last_, version);
    evaluation.scalars = scalars;
    evaluation.state = state;
    EXPECT_OK(store_.Write([&](StoreEdit& edit) { return edit.PutEvaluation(evaluation); }));
  }

  Scalars Of(std::int64_t version) {
    Scalars scalars;
    EXPECT_OK(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(scalars, ScalarsOfVersion(view, JobId{"j"}, ModelVersion{version}));
      return Status();
    }));
    return scalars;
  }

  MemoryStore store_;
  std::int64_t last_ = 0;
};

TEST_F(VersionScalarsTest, AreNoneWithoutAnEvaluation) { EXPECT_THAT(Of(1), IsEmpty()); }

TEST_F(VersionScalarsTest, AreThoseOfTheOnlyEvaluator) {
  Report(1, {{"accuracy", 0.8}, {"examples", 10'000}});
  EXPECT_THAT(Of(1), UnorderedElementsAre(Pair("accuracy", DoubleEq(0.8)),
                                          Pair("examples", DoubleEq(10'000))));
}

TEST_F(VersionScalarsTest, AreMeansWeightedByExamplesAndTheSumOfThese) {
  Report(1, {{"accuracy", 0.5}, {"examples", 300}});
  Report(1, {{"accuracy", 0.9}, {"examples", 100}});
  EXPECT_THAT(Of(1), UnorderedElementsAre(Pair("accuracy", DoubleEq(0.6)),
                                          Pair("examples", DoubleEq(400))));
}

TEST_F(VersionScalarsTest, AScalarThatOnlySomeReportIsAveragedOverThose) {
  Report(1, {{"accuracy", 0.5}, {"loss", 2}, {"examples", 300}});
  Report(1, {{"accuracy", 0.9}, {"examples", 100}});
  EXPECT_THAT(Of(1)["loss"], DoubleEq(2));
}

TEST_F(VersionScalarsTest, WhoSaysNoExamplesWeighsOne) {
  Report(1, {{"accuracy", 0.5}});
  Report(1, {{"accuracy", 0.7}});
  EXPECT_THAT(Of(1), UnorderedElementsAre(Pair("accuracy", DoubleEq(0.6))));
}

TEST_F(VersionScalarsTest, WhoSaysNoExamplesAddsNoneToTheirSum) {
  Report(1, {{"accuracy", 0.5}});
  Report(1, {{"accuracy", 0.5}, {"examples", 0}});
  Report(1, {{"accuracy", 0.9}, {"examples", 2}});
  EXPECT_THAT(Of(1),
              UnorderedElementsAre(Pair("accuracy", DoubleEq(0.7)), Pair("examples", DoubleEq(2))));
}

TEST_F(VersionScalarsTest, LeaveOutOtherVersionsAndWhatIsNotDone) {
  Report(1, {{"accuracy", 0.5}});
  Report(1, {{"accuracy", 9}}, EvaluationState::kAssigned);
  Report(1, {{"accuracy", 9}}, EvaluationState::kGone);
  Report(2, {{"accuracy", 9}});
  EXPECT_THAT(Of(1), UnorderedElementsAre(Pair("accuracy", DoubleEq(0.5))));
}

}  // namespace
}  // namespace fed::server
