// Every state of a round against every event: what comes out, or why it is refused.
#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/round/round.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);

struct ActionName {
  std::string operator()(const Assign&) const { return "Assign"; }
  std::string operator()(const Free& a) const {
    return a.state == MemberState::kGone ? "Free:gone" : "Free:rejected";
  }
  std::string operator()(const CloseUploads&) const { return "CloseUploads"; }
  std::string operator()(const Fold&) const { return "Fold"; }
  std::string operator()(const Commit&) const { return "Commit"; }
  std::string operator()(const Discard&) const { return "Discard"; }
};

// One cell: "-" nothing comes out, "!A" kAborted, "!F" kFailedPrecondition, else the actions.
std::string Outcome(const StatusOr<std::vector<Action>>& result) {
  if (result.status().code() == StatusCode::kAborted) return "!A";
  if (result.status().code() == StatusCode::kFailedPrecondition) return "!F";
  if (!result.ok()) return StatusCodeName(result.status().code());
  if (result->empty()) return "-";
  return absl::StrJoin(*result, "+", [](std::string* out, const Action& action) {
    out->append(std::visit(ActionName{}, action));
  });
}

// A round of two places, target 2, minimum 1, in the named state; "a" is the member in question.
Round InState(const std::string& state) {
  Round round(RoundId{7},
              {.target_updates = 2,
               .min_updates = 1,
               .cohort_size = 2,
               .time_limit = absl::Minutes(10),
               .client_time_limit = absl::Minutes(4),
               .lease = absl::Seconds(15)},
              kNoon);
  const auto on = [&](const Event& event) { EXPECT_TRUE(round.On(event, kNoon).ok()) << state; };
  const ClientId a{"a"};
  if (state == "new") return round;
  on(Drawn{a});
  if (state == "assigned") return round;
  if (state == "gone") on(ClientLeft{a, "left"});
  if (state == "rejected") on(Rejected{a, "NaN"});
  if (state == "gone" || state == "rejected") return round;
  on(UpdateAccepted{a});
  if (state == "done") return round;
  on(Drawn{ClientId{"b"}});
  on(UpdateAccepted{ClientId{"b"}});
  if (state == "closing") return round;
  if (state == "failed") {
    on(UploadsClosed{0});
    return round;
  }
  on(UploadsClosed{2});
  if (state == "folding") return round;
  on(Folded{});
  if (state == "committing") return round;
  on(Committed{});
  return round;
}

struct Row {
  const char* event;
  Event value;
  const char* cells;  // in the order of kStates
};

const char kStates[] =
    "new       assigned      gone          done          rejected closing folding committing "
    "published failed";

// clang-format off
const Row kTable[] = {
  {"Drawn",         Drawn{ClientId{"a"}},
   "Assign    !F            !F            !F            !F       !A      !A      !A         !A        !A"},
  {"Returned",      Returned{ClientId{"a"}},
   "!F        Assign        Assign        !F            !A       !A      !A      !A         !A        !A"},
  {"Renewed",       Renewed{ClientId{"a"}},
   "!F        -             Assign        !F            !A       !A      !A      !A         !A        !A"},
  {"UpdateAccepted", UpdateAccepted{ClientId{"a"}},
   "!F        -             -             !F            !A       -       -       -          !A        !A"},
  {"Rejected",      Rejected{ClientId{"a"}, "NaN"},
   "!F        Free:rejected Free:rejected !F            !A       !A      !A      !A         !A        !A"},
  {"ClientLeft",    ClientLeft{ClientId{"a"}, "left"},
   "-         Free:gone     -             -             -        -       -       -          -         -"},
  {"Revoked",       Revoked{ClientId{"a"}},
   "-         Free:rejected Free:rejected Free:rejected -        -       -       -          -         -"},
  {"Ticked",        Ticked{},
   "-         -             -             -             -        -       -       -          -         -"},
  {"UploadsClosed", UploadsClosed{1},
   "!F        !F            !F            !F            !F       Fold    Fold    !F         !F        !F"},
  {"Folded",        Folded{},
   "!F        !F            !F            !F            !F       !F      Commit  !F         !F        !F"},
  {"Committed",     Committed{},
   "!F        !F            !F            !F            !F       !F      !F      -          !F        !F"},
  {"FoldFailed",    FoldFailed{"bad"},
   "!F        !F            !F            !F            !F       !F      Discard Discard    !F        !F"},
  {"Cancelled",     Cancelled{"stopped"},
   "CloseUploads CloseUploads CloseUploads CloseUploads CloseUploads !F  !F      !F         !F        !F"},
};
// clang-format on

std::vector<std::string> Words(const char* text) {
  return absl::StrSplit(text, ' ', absl::SkipEmpty());
}

// What a refusal must not change.
std::string Picture(const Round& round) {
  std::string text = absl::StrCat(static_cast<int>(round.phase()), " ", round.updates(), " ",
                                  round.open_places(), " ", absl::FormatTime(round.next_wake()));
  for (const auto& [client, member] : round.members()) {
    absl::StrAppend(&text, " ", client.value, static_cast<int>(member.state), member.reason,
                    absl::FormatTime(member.lease_ends));
  }
  return text;
}

TEST(RoundTableTest, EachEventHasItsOutcomeInEachState) {
  static_assert(std::variant_size_v<Event> == std::size(kTable));
  const std::vector<std::string> states = Words(kStates);

  for (std::size_t e = 0; e < std::size(kTable); ++e) {
    const Row& row = kTable[e];
    ASSERT_EQ(row.value.index(), e) << "a row for each event";
    const std::vector<std::string> cells = Words(row.cells);
    ASSERT_EQ(cells.size(), states.size()) << row.event;
    for (std::size_t i = 0; i < states.size(); ++i) {
      Round round = InState(states[i]);
      EXPECT_EQ(Outcome(round.On(row.value, kNoon + absl::Seconds(1))), cells[i])
          << row.event << " when " << states[i];
    }
  }
}

TEST(RoundTableTest, ARefusedEventChangesNothing) {
  int refused = 0;
  for (const std::string& state : Words(kStates)) {
    for (const Row& row : kTable) {
      Round round = InState(state);
      const std::string before = Picture(round);
      if (round.On(row.value, kNoon + absl::Seconds(1)).ok()) continue;
      ++refused;
      EXPECT_EQ(Picture(round), before) << row.event << " when " << state;
    }
  }
  EXPECT_GT(refused, 50);
}

TEST(RoundTableTest, SaysWhoseUpdateMayComeIn) {
  const auto expects = [](const char* state) { return InState(state).Expects(ClientId{"a"}); };
  using ::fed::testing::IsOk;
  using ::fed::testing::StatusIs;
  using ::testing::HasSubstr;

  EXPECT_THAT(expects("assigned"), IsOk());
  EXPECT_THAT(expects("gone"), IsOk());
  EXPECT_THAT(expects("new"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("no assignment in round 7")));
  EXPECT_THAT(expects("rejected"), StatusIs(StatusCode::kFailedPrecondition,
                                            HasSubstr("the assignment was rejected: NaN")));
  EXPECT_THAT(expects("done"), StatusIs(StatusCode::kAlreadyExists));
  for (const char* state : {"closing", "folding", "committing", "published", "failed"}) {
    EXPECT_THAT(expects(state), StatusIs(StatusCode::kAborted, HasSubstr("round 7 is closed")));
  }
}

}  // namespace
}  // namespace fed::server
