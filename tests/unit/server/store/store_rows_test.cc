// What is put into any store comes out of it again, and the lists hold what they say.
#include <gmock/gmock.h>

#include <bit>
#include <limits>

#include "tests/testing/store_conformance.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST_P(StoreConformance, KeepsEveryFieldOfAJobAndTheLastPutWins) {
  JobRecord job = TestJob("a");
  ASSERT_OK(Put(job));
  EXPECT_THAT(See([](auto& view) { return view.Job({"a"}); }), IsOkAndHolds(job));

  job.state = JobState::kStopped;
  job.spec = std::string("with \0 in it and 'quotes'", 24);
  job.plan = "";
  ASSERT_OK(Put(job));

  EXPECT_THAT(See([](auto& view) { return view.Job({"a"}); }), IsOkAndHolds(job));
  EXPECT_THAT(See([](auto& view) { return view.Jobs(); }), IsOkAndHolds(ElementsAre(job)));
}

TEST_P(StoreConformance, SaysWhatThereIsNoneOf) {
  Seed();
  const auto none = [](const std::string& what) { return StatusIs(StatusCode::kNotFound, what); };
  const auto see = [this](auto look) { return See(look); };
  EXPECT_THAT(see([](auto& v) { return v.Job({"b"}); }), none("no job \"b\""));
  EXPECT_THAT(see([](auto& v) { return v.Client({"0123456789"}); }), none("no client 01234567"));
  EXPECT_THAT(see([](auto& v) { return v.EnrollToken("h"); }), none("no such enrollment token"));
  EXPECT_THAT(see([](auto& v) { return v.CertificateOf("t", "k"); }),
              none("no certificate for this token and key"));
  EXPECT_THAT(see([](auto& v) { return v.Round({"a"}, {9}); }), none("no round 9 in job \"a\""));
  EXPECT_THAT(see([](auto& v) { return v.Assignment({"a"}, {9}); }),
              none("no assignment 9 in job \"a\""));
  EXPECT_THAT(see([](auto& v) { return v.ReceiptOf({"a"}, {1}); }),
              none("no receipt for assignment 1 in job \"a\""));
  EXPECT_THAT(see([](auto& v) { return v.Model({"a"}, {9}); }), none("no version 9 in job \"a\""));
  EXPECT_THAT(see([](auto& v) { return v.LatestModel({"b"}); }),
              none("no version yet in job \"b\""));
  EXPECT_THAT(see([](auto& v) { return v.Evaluation({"a"}, {1}); }),
              none("no evaluation 1 in job \"a\""));
}

TEST_P(StoreConformance, ListsNothingWhereThereIsNothing) {
  EXPECT_THAT(See([](auto& v) { return v.Jobs(); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.Clients(10); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.Rounds({"a"}, 10); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.OpenReceipts(); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.Models({"a"}); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.RoundMetrics({"a"}, {1}); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.LastAssignment({"a"}); }), IsOkAndHolds(AssignmentId{0}));
  EXPECT_THAT(See([](auto& v) { return v.CountRounds({"a"}, RoundState::kOpen); }),
              IsOkAndHolds(0));
}

TEST_P(StoreConformance, KeepsEveryFieldOfAClientAndReplacesItsLabels) {
  ClientRecord client = TestClient("c");
  ASSERT_OK(Put(client));
  EXPECT_THAT(See([](auto& v) { return v.Client({"c"}); }), IsOkAndHolds(client));

  client.labels = {{"site", "west"}};
  client.first_seen = TestTime(5);
  client.revoked = false;
  ASSERT_OK(Put(client));

  EXPECT_THAT(See([](auto& v) { return v.Client({"c"}); }), IsOkAndHolds(client));
}

TEST_P(StoreConformance, ListsClientsByIdUpToALimit) {
  for (const char* id : {"c", "a", "b"}) ASSERT_OK(Put(TestClient(id)));

  EXPECT_THAT(See([](auto& v) { return v.Clients(2); }),
              IsOkAndHolds(ElementsAre(TestClient("a"), TestClient("b"))));
  EXPECT_THAT(See([](auto& v) { return v.Clients(0); }), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(See([](auto& v) { return v.Clients(-1); }), IsOkAndHolds(IsEmpty()));
}

TEST_P(StoreConformance, FindsClientsByTheBeginningOfTheirIdAndOfNothingElse) {
  for (const char* id : {"ab", "abc", "abd", "ac", "b_d", "bxd", "\xff", "\xff\xff"}) {
    ASSERT_OK(Put(TestClient(id)));
  }
  const auto find = [this](absl::string_view prefix) {
    std::vector<std::string> ids;
    const auto found = See([&](auto& v) { return v.ClientsByPrefix(prefix); });
    EXPECT_OK(found);
    for (const ClientRecord& client : *found) ids.push_back(client.id.value);
    return ids;
  };

  EXPECT_THAT(find("ab"), ElementsAre("ab", "abc", "abd"));
  EXPECT_THAT(find("b_"), ElementsAre("b_d"));  // no wildcard
  EXPECT_THAT(find("%"), IsEmpty());
  EXPECT_THAT(find("\xff"), ElementsAre("\xff", "\xff\xff"));
  EXPECT_EQ(find("").size(), 8u);
}

TEST_P(StoreConformance, KeepsTokensAndReplacesThem) {
  EnrollTokenRecord token = TestToken("h");
  ASSERT_OK(Put(token));
  EXPECT_THAT(See([](auto& v) { return v.EnrollToken("h"); }), IsOkAndHolds(token));

  token.uses_left = 0;
  token.labels.clear();
  ASSERT_OK(Put(token));

  EXPECT_THAT(See([](auto& v) { return v.EnrollToken("h"); }), IsOkAndHolds(token));
}

TEST_P(StoreConformance, FindsCertificatesByClientAndByTokenAndKey) {
  ASSERT_OK(Put(TestClient("c")));
  const CertificateRecord first = TestCertificate("02", "c");
  CertificateRecord again = TestCertificate("01", "c");
  again.token_hash = first.token_hash;
  again.key_digest = first.key_digest;
  again.not_after = first.not_after + absl::Hours(1);
  ASSERT_OK(Put(first));
  ASSERT_OK(Put(again));

  EXPECT_THAT(See([](auto& v) { return v.Certificates({"c"}); }),
              IsOkAndHolds(ElementsAre(again, first)));
  EXPECT_THAT(See([](auto& v) { return v.CertificateOf("token of 02", "key of 02"); }),
              IsOkAndHolds(again));
  EXPECT_THAT(See([](auto& v) { return v.CertificateOf("token of 02", "another key"); }),
              StatusIs(StatusCode::kNotFound));
}

TEST_P(StoreConformance, ListsRoundsNewestFirstAndActiveOnesByNumber) {
  ASSERT_OK(Put(TestJob("a")));
  std::vector<RoundRecord> rounds;
  for (const RoundState state :
       {RoundState::kFailed, RoundState::kPublished, RoundState::kClosing, RoundState::kOpen}) {
    rounds.push_back(TestRound("a", static_cast<std::int64_t>(rounds.size()) + 1));
    rounds.back().state = state;
    rounds.back().reason = "deadline";
    ASSERT_OK(Put(rounds.back()));
  }

  EXPECT_THAT(See([](auto& v) { return v.Round({"a"}, {1}); }), IsOkAndHolds(rounds[0]));
  EXPECT_THAT(See([](auto& v) { return v.Rounds({"a"}, 3); }),
              IsOkAndHolds(ElementsAre(rounds[3], rounds[2], rounds[1])));
  EXPECT_THAT(See([](auto& v) { return v.ActiveRounds({"a"}); }),
              IsOkAndHolds(ElementsAre(rounds[2], rounds[3])));
  EXPECT_THAT(See([](auto& v) { return v.CountRounds({"a"}, RoundState::kFailed); }),
              IsOkAndHolds(1));
  EXPECT_THAT(See([](auto& v) { return v.CountRounds({"b"}, RoundState::kFailed); }),
              IsOkAndHolds(0));
}

TEST_P(StoreConformance, KeepsAssignmentsAndKnowsTheLastIdOfRoundsAndEvaluations) {
  Seed();
  AssignmentRecord second = TestAssignment("a", 2, 1);
  second.state = AssignmentState::kGone;
  second.reason = "lease ran out";
  ASSERT_OK(Put(second));
  ASSERT_OK(Put(TestAssignment("a", 3, 2)));

  EXPECT_THAT(See([](auto& v) { return v.Assignment({"a"}, {2}); }), IsOkAndHolds(second));
  EXPECT_THAT(See([](auto& v) { return v.Assignments({"a"}, {1}); }),
              IsOkAndHolds(ElementsAre(TestAssignment("a", 1, 1), second)));
  EXPECT_THAT(See([](auto& v) { return v.LastAssignment({"a"}); }), IsOkAndHolds(AssignmentId{3}));
  ASSERT_OK(Put(TestEvaluation("a", 7, 0)));
  EXPECT_THAT(See([](auto& v) { return v.LastAssignment({"a"}); }), IsOkAndHolds(AssignmentId{7}));
}

TEST_P(StoreConformance, KeepsEvaluationsAndReplacesTheirScalars) {
  Seed();
  EvaluationRecord evaluation = TestEvaluation("a", 5, 2);
  evaluation.state = EvaluationState::kAssigned;
  ASSERT_OK(Put(evaluation));
  evaluation.state = EvaluationState::kDone;
  evaluation.scalars = {{"loss", 0.5}};
  ASSERT_OK(Put(evaluation));
  ASSERT_OK(Put(TestEvaluation("a", 4, 2)));
  ASSERT_OK(Put(TestEvaluation("a", 6, 1)));

  EXPECT_THAT(See([](auto& v) { return v.Evaluation({"a"}, {5}); }), IsOkAndHolds(evaluation));
  EXPECT_THAT(See([](auto& v) { return v.Evaluations({"a"}, {2}); }),
              IsOkAndHolds(ElementsAre(TestEvaluation("a", 4, 2), evaluation)));
}

TEST_P(StoreConformance, MergesARoundsMetrics) {
  Seed();
  ASSERT_OK(PutMetrics(1, {{"train_loss", 2.3}, {"seconds", 4}}));
  ASSERT_OK(PutMetrics(1, {{"train_loss", 2.1}, {"bytes_up", 1e9}}));

  EXPECT_THAT(See([](auto& v) { return v.RoundMetrics({"a"}, {1}); }),
              IsOkAndHolds(Scalars{{"train_loss", 2.1}, {"seconds", 4}, {"bytes_up", 1e9}}));
}

TEST_P(StoreConformance, GivesNumbersBackToTheBit) {
  Seed();
  using Limits = std::numeric_limits<double>;
  const Scalars numbers = {{"zero", 0.0},
                           {"minus zero", -0.0},
                           {"third", 1.0 / 3},
                           {"2^53 + 2", 9007199254740994.0},
                           {"denormal", Limits::denorm_min()},
                           {"largest", Limits::max()},
                           {"lowest", Limits::lowest()},
                           {"infinite", Limits::infinity()},
                           {"minus infinite", -Limits::infinity()}};
  ASSERT_OK(PutMetrics(1, numbers));

  ASSERT_OK_AND_ASSIGN(const Scalars seen, See([](auto& v) { return v.RoundMetrics({"a"}, {1}); }));
  ASSERT_EQ(seen.size(), numbers.size());
  for (const auto& [name, value] : numbers) {
    EXPECT_EQ(std::bit_cast<std::uint64_t>(seen.at(name)), std::bit_cast<std::uint64_t>(value))
        << name;
  }
}

TEST_P(StoreConformance, KeepsTimeToTheMicrosecondAndBothInfinities) {
  Seed();
  RoundRecord round = TestRound("a", 3);
  round.opened_at = absl::InfinitePast();
  round.closed_at = TestTime(1) + absl::Nanoseconds(999);
  round.remaining = absl::Microseconds(5) + absl::Nanoseconds(999);
  ASSERT_OK(Put(round));
  RoundRecord kept = round;
  kept.closed_at = TestTime(1);
  kept.remaining = absl::Microseconds(5);
  EXPECT_THAT(See([](auto& v) { return v.Round({"a"}, {3}); }), IsOkAndHolds(kept));

  round.remaining = absl::InfiniteDuration();
  ASSERT_OK(Put(round));
  EXPECT_EQ(See([](auto& v) { return v.Round({"a"}, {3}); })->remaining, absl::InfiniteDuration());
}

}  // namespace
}  // namespace fed::server
