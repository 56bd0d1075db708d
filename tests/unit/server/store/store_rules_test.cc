// What any store refuses, and why: receipts, their ends, versions, missing parents.
#include <gmock/gmock.h>

#include <limits>

#include "tests/testing/store_conformance.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Receipt FirstReceipt() { return TestReceipt(TestAssignment("a", 1, 1)); }

TEST_P(ReceiptConformance, AReceiptIsKeptWholeAndSetsItsAssignmentDone) {
  AssignmentRecord assignment = TestAssignment("a", 1, 1);
  assignment.state = AssignmentState::kGone;  // a lease that ran out refuses nothing
  assignment.reason = "lease ran out";
  ASSERT_OK(Put(assignment));

  ASSERT_OK(Add(FirstReceipt()));

  EXPECT_EQ(Find(1), FirstReceipt());
  assignment.state = AssignmentState::kDone;
  assignment.reason = "";
  EXPECT_THAT(See([](auto& v) { return v.Assignment({"a"}, {1}); }), IsOkAndHolds(assignment));
}

TEST_P(ReceiptConformance, AnAssignmentHasOneReceiptAndTheFirstStays) {
  ASSERT_OK(Add(FirstReceipt()));
  Receipt other = FirstReceipt();
  other.digest = "another";

  EXPECT_THAT(Add(other),
              StatusIs(StatusCode::kAlreadyExists, "assignment 1 in job \"a\" has a receipt"));
  EXPECT_EQ(Find(1), FirstReceipt());
}

TEST_P(ReceiptConformance, AReceiptIsLookedUpBeforeTheRoundsState) {
  ASSERT_OK(Add(FirstReceipt()));
  RoundRecord round = TestRound("a", 1);
  round.state = RoundState::kPublished;
  ASSERT_OK(Put(round));

  EXPECT_THAT(Add(FirstReceipt()), StatusIs(StatusCode::kAlreadyExists));
}

TEST_P(ReceiptConformance, ARoundThatIsNotOpenTakesNoReceipt) {
  for (const RoundState state :
       {RoundState::kClosing, RoundState::kPublished, RoundState::kFailed}) {
    RoundRecord round = TestRound("a", 1);
    round.state = state;
    ASSERT_OK(Put(round));

    EXPECT_THAT(Add(FirstReceipt()),
                StatusIs(StatusCode::kAborted,
                         "round 1 in job \"a\" takes no more updates: that of assignment 1 does "
                         "not count"));
  }
  EXPECT_THAT(See([](auto& v) { return v.Receipts({"a"}, {1}); }), IsOkAndHolds(IsEmpty()));
  EXPECT_EQ(See([](auto& v) { return v.Assignment({"a"}, {1}); })->state,
            AssignmentState::kAssigned);
}

TEST_P(ReceiptConformance, AReceiptJoinsTheRoundItNamesWhichNeedNotBeItsOwn) {
  RoundRecord own = TestRound("a", 1);
  own.state = RoundState::kPublished;
  ASSERT_OK(Put(own));
  Receipt receipt = FirstReceipt();
  receipt.joins = {2};
  ASSERT_OK(Add(receipt));

  EXPECT_THAT(See([](auto& v) { return v.Receipts({"a"}, {2}); }),
              IsOkAndHolds(ElementsAre(receipt)));
  EXPECT_THAT(See([](auto& v) { return v.Receipts({"a"}, {1}); }), IsOkAndHolds(IsEmpty()));

  ASSERT_OK(Put(TestAssignment("a", 2, 1)));
  receipt.assignment = {2};
  receipt.joins = {3};
  EXPECT_THAT(Add(receipt), StatusIs(StatusCode::kAborted, HasSubstr("round 3")));
}

TEST_P(ReceiptConformance, ARejectedOrUnknownAssignmentGetsNoReceipt) {
  AssignmentRecord rejected = TestAssignment("a", 1, 1);
  rejected.state = AssignmentState::kRejected;
  rejected.reason = "not finite";
  ASSERT_OK(Put(rejected));

  EXPECT_THAT(Add(FirstReceipt()), StatusIs(StatusCode::kFailedPrecondition,
                                            "assignment 1 in job \"a\" was rejected: not finite"));
  EXPECT_THAT(Add(TestReceipt(TestAssignment("a", 9, 1))),
              StatusIs(StatusCode::kNotFound, "no assignment 9 in job \"a\""));
}

TEST_P(ReceiptConformance, ANewReceiptHasNoEndAndOnlyNumbers) {
  Receipt receipt = FirstReceipt();
  receipt.end = ReceiptEnd::kCounted;
  EXPECT_THAT(Add(receipt), StatusIs(StatusCode::kInvalidArgument, "a new receipt has no end yet"));
  receipt = FirstReceipt();
  receipt.weight = kNaN;
  EXPECT_THAT(Add(receipt), StatusIs(StatusCode::kInvalidArgument, "\"weight\" is not a number"));
  receipt = FirstReceipt();
  receipt.norm = kNaN;
  EXPECT_THAT(Add(receipt), StatusIs(StatusCode::kInvalidArgument, "\"norm\" is not a number"));
  receipt = FirstReceipt();
  receipt.scalars["loss"] = kNaN;
  EXPECT_THAT(Add(receipt), StatusIs(StatusCode::kInvalidArgument, "\"loss\" is not a number"));
}

TEST_P(ReceiptConformance, AnEndIsFinal) {
  ASSERT_OK(Add(FirstReceipt()));
  ASSERT_OK(End(1, ReceiptEnd::kCounted, 2, "not kept"));

  EXPECT_OK(End(1, ReceiptEnd::kCounted, 2, ""));  // the same again
  const auto refused =
      StatusIs(StatusCode::kFailedPrecondition,
               "the receipt of assignment 1 in job \"a\" has its end: counted in version 2");
  EXPECT_THAT(End(1, ReceiptEnd::kCounted, 3, ""), refused);
  EXPECT_THAT(End(1, ReceiptEnd::kDiscarded, 0, "corrupt"), refused);
  EXPECT_THAT(End(1, ReceiptEnd::kOpen, 0, ""),
              StatusIs(StatusCode::kInvalidArgument, "OPEN is no end of a receipt"));

  Receipt counted = FirstReceipt();
  counted.end = ReceiptEnd::kCounted;
  counted.counted_in = {2};
  EXPECT_EQ(Find(1), counted);
}

TEST_P(ReceiptConformance, ADiscardKeepsItsFirstReason) {
  ASSERT_OK(Add(FirstReceipt()));
  ASSERT_OK(End(1, ReceiptEnd::kDiscarded, 5, "corrupt"));

  EXPECT_OK(End(1, ReceiptEnd::kDiscarded, 0, "revoked"));
  EXPECT_THAT(End(1, ReceiptEnd::kCounted, 1, ""),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("discarded (corrupt)")));

  Receipt discarded = FirstReceipt();
  discarded.end = ReceiptEnd::kDiscarded;
  discarded.reason = "corrupt";
  EXPECT_EQ(Find(1), discarded);
  EXPECT_THAT(End(9, ReceiptEnd::kCounted, 1, ""), StatusIs(StatusCode::kNotFound));
}

TEST_P(ReceiptConformance, EndingARoundEndsItsOpenReceiptsOnly) {
  ASSERT_OK(Put(TestAssignment("a", 2, 1)));
  ASSERT_OK(Put(TestAssignment("a", 3, 2)));
  for (const auto& [assignment, round] : {std::pair(1, 1), std::pair(2, 1), std::pair(3, 2)}) {
    ASSERT_OK(Add(TestReceipt(TestAssignment("a", assignment, round))));
  }
  ASSERT_OK(End(1, ReceiptEnd::kDiscarded, 0, "corrupt"));

  ASSERT_OK(EndAll(1, ReceiptEnd::kCounted, 1, ""));

  EXPECT_EQ(Find(1).end, ReceiptEnd::kDiscarded);
  EXPECT_EQ(Find(2).end, ReceiptEnd::kCounted);
  EXPECT_EQ(Find(2).counted_in, ModelVersion{1});
  EXPECT_EQ(Find(3).end, ReceiptEnd::kOpen);
  EXPECT_OK(EndAll(9, ReceiptEnd::kDiscarded, 0, "none there"));
  EXPECT_THAT(EndAll(2, ReceiptEnd::kOpen, 0, ""), StatusIs(StatusCode::kInvalidArgument));
}

TEST_P(ReceiptConformance, OpenOnesAreFoundAcrossJobsAndByClient) {
  ASSERT_OK(Put(TestJob("b")));
  ASSERT_OK(Put(TestRound("b", 1)));
  ASSERT_OK(Put(TestAssignment("b", 1, 1)));
  const Receipt in_b = TestReceipt(TestAssignment("b", 1, 1));
  ASSERT_OK(Add(in_b));
  ASSERT_OK(Add(FirstReceipt()));
  const auto has_open = [this](const char* job, const char* client) {
    return See([&](auto& v) { return v.HasOpenReceipt({job}, {client}); });
  };

  EXPECT_THAT(See([](auto& v) { return v.OpenReceipts(); }),
              IsOkAndHolds(ElementsAre(FirstReceipt(), in_b)));
  EXPECT_THAT(has_open("a", "client-1"), IsOkAndHolds(true));
  EXPECT_THAT(has_open("a", "client-2"), IsOkAndHolds(false));

  ASSERT_OK(End(1, ReceiptEnd::kCounted, 1, ""));
  EXPECT_THAT(See([](auto& v) { return v.OpenReceipts(); }), IsOkAndHolds(ElementsAre(in_b)));
  EXPECT_THAT(has_open("a", "client-1"), IsOkAndHolds(false));
  EXPECT_THAT(has_open("b", "client-1"), IsOkAndHolds(true));
}

TEST_P(StoreConformance, VersionsCountUpFromZeroWithoutAGap) {
  ASSERT_OK(Put(TestJob("a")));
  EXPECT_THAT(Put(TestModel("a", 1)),
              StatusIs(StatusCode::kFailedPrecondition,
                       "version 1 in job \"a\" can not be the next one: that is 0"));
  ASSERT_OK(Put(TestModel("a", 0)));
  ASSERT_OK(Put(TestModel("a", 1)));
  EXPECT_THAT(Put(TestModel("a", 3)), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("is 2")));

  EXPECT_THAT(See([](auto& v) { return v.LatestModel({"a"}); }), IsOkAndHolds(TestModel("a", 1)));
  EXPECT_THAT(See([](auto& v) { return v.Models({"a"}); }),
              IsOkAndHolds(ElementsAre(TestModel("a", 0), TestModel("a", 1))));
}

TEST_P(StoreConformance, OfAVersionOnlyKeptMayChange) {
  Seed();
  ModelRecord model = TestModel("a", 1);
  model.kept = false;
  ASSERT_OK(Put(model));
  EXPECT_THAT(See([](auto& v) { return v.Model({"a"}, {1}); }), IsOkAndHolds(model));

  const auto refused =
      StatusIs(StatusCode::kFailedPrecondition, "version 1 in job \"a\" is there and not the same");
  ModelRecord other = model;
  other.files["model"].digest = "another";
  EXPECT_THAT(Put(other), refused);
  other = model;
  other.made_by = {9};
  EXPECT_THAT(Put(other), refused);
  EXPECT_THAT(See([](auto& v) { return v.Model({"a"}, {1}); }), IsOkAndHolds(model));
}

TEST_P(StoreConformance, ABlobIsNamedWhileOneKeptVersionOfAnyJobNamesIt) {
  Seed();
  ASSERT_OK(Put(TestJob("b")));
  ASSERT_OK(Put(TestModel("b", 0)));  // the same files as version 0 of "a"
  const auto named = [this](const char* digest) {
    return See([&](auto& v) { return v.IsBlobNamed(digest); });
  };
  const auto drop = [this](const char* job) {
    ModelRecord model = TestModel(job, 0);
    model.kept = false;
    return Put(model);
  };

  EXPECT_THAT(named("control-0"), IsOkAndHolds(true));
  EXPECT_THAT(named("blob-9"), IsOkAndHolds(false));
  ASSERT_OK(drop("a"));
  EXPECT_THAT(named("blob-0"), IsOkAndHolds(true));
  ASSERT_OK(drop("b"));
  EXPECT_THAT(named("blob-0"), IsOkAndHolds(false));
}

TEST_P(StoreConformance, ARowNeedsItsParent) {
  const auto no_job = StatusIs(StatusCode::kNotFound, "no job \"a\"");
  EXPECT_THAT(Put(TestRound("a", 1)), no_job);
  EXPECT_THAT(Put(TestModel("a", 0)), no_job);
  EXPECT_THAT(Put(TestAssignment("a", 1, 1)),
              StatusIs(StatusCode::kNotFound, "no round 1 in job \"a\""));
  EXPECT_THAT(PutMetrics(1, {}), StatusIs(StatusCode::kNotFound, "no round 1 in job \"a\""));
  EXPECT_THAT(Put(TestEvaluation("a", 1, 0)),
              StatusIs(StatusCode::kNotFound, "no version 0 in job \"a\""));
  EXPECT_THAT(Put(TestCertificate("01", "c")), StatusIs(StatusCode::kNotFound, "no client c"));
}

TEST_P(StoreConformance, MetricsAndEvaluationsAreNumbers) {
  Seed();
  ASSERT_OK(PutMetrics(1, {{"a", 1}}));
  EXPECT_THAT(PutMetrics(1, {{"a", 2}, {"b", kNaN}}),
              StatusIs(StatusCode::kInvalidArgument, "\"b\" is not a number"));
  EXPECT_THAT(See([](auto& v) { return v.RoundMetrics({"a"}, {1}); }),
              IsOkAndHolds(Scalars{{"a", 1}}));

  EvaluationRecord evaluation = TestEvaluation("a", 1, 0);
  evaluation.scalars["loss"] = kNaN;
  EXPECT_THAT(Put(evaluation), StatusIs(StatusCode::kInvalidArgument, "\"loss\" is not a number"));
}

}  // namespace
}  // namespace fed::server
