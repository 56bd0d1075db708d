// Thousands of rounds under random events, each from a seed: what must hold whatever happens.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/round/round.h"

namespace fed::server {
namespace {

const absl::Time kNoon = absl::FromUnixSeconds(1'700'000'000);
constexpr int kSeeds = 1'000;
constexpr int kSteps = 150;
constexpr int kClients = 9;

RoundPolicy RandomPolicy(RandomStream& random) {
  RoundPolicy policy;
  policy.min_updates = 1 + static_cast<int>(random.Below(3));
  policy.target_updates = policy.min_updates + static_cast<int>(random.Below(3));
  policy.cohort_size = policy.target_updates + static_cast<int>(random.Below(3));
  policy.time_limit = absl::Seconds(60 + random.Below(600));
  policy.client_time_limit = absl::Seconds(20 + random.Below(600));
  policy.lease = absl::Seconds(random.Below(3) * 15);
  return policy;
}

ClientId RandomClient(RandomStream& random) {
  return ClientId{absl::StrCat("c", random.Below(kClients))};
}

Event RandomEvent(RandomStream& random) {
  const ClientId client = RandomClient(random);
  switch (random.Below(20)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      return Drawn{client};
    case 5:
      return Returned{client};
    case 6:
    case 7:
    case 8:
      return Renewed{client};
    case 9:
    case 10:
      return UpdateAccepted{client};
    case 11:
      return Rejected{client, "NaN"};
    case 12:
      return ClientLeft{client, "left"};
    case 13:
      return random.Below(4) == 0 ? Event{Revoked{client}} : Event{Ticked{}};
    case 14:
      return UploadsClosed{static_cast<int>(random.Below(5))};
    case 15:
      return Folded{};
    case 16:
      return Committed{};
    case 17:
      return random.Below(8) == 0 ? Event{FoldFailed{"bad"}} : Event{Ticked{}};
    case 18:
      return random.Below(16) == 0 ? Event{Cancelled{"stop"}} : Event{Ticked{}};
    default:
      return Ticked{};
  }
}

// Watches one round, and restates its rules without its code.
class Watcher {
 public:
  explicit Watcher(const RoundPolicy& policy) : policy_(policy) {}

  void See(const Round& round, const Event& event, const StatusOr<std::vector<Action>>& result) {
    if (result.ok()) {
      for (const Action& action : *result) {
        std::visit([&](const auto& a) { Count(a); }, action);
      }
    }
    EXPECT_LE(closes_, 1);
    EXPECT_LE(commits_, folds_ > 0 ? 1 : 0);
    EXPECT_EQ(round.phase() == RoundPhase::kOpen, closes_ == 0);
    EXPECT_EQ(round.phase() == RoundPhase::kFailed, discards_ == 1);
    SeeMembers(round, std::holds_alternative<Revoked>(event));
    SeePlaces(round);
  }

 private:
  void Count(const Assign& a) {
    const auto [at, is_new] = deadlines_.try_emplace(a.client, a.deadline);
    EXPECT_EQ(at->second, a.deadline) << "a deadline moved";
  }
  void Count(const Free&) { EXPECT_EQ(closes_, 0); }
  void Count(const CloseUploads&) { ++closes_; }
  void Count(const Fold&) {
    ++folds_;
    EXPECT_EQ(closes_, 1);
  }
  void Count(const Commit&) { ++commits_; }
  void Count(const Discard&) { ++discards_; }

  void SeeMembers(const Round& round, bool revoked) {
    for (const auto& [client, member] : round.members()) {
      const auto [at, is_new] = fates_.try_emplace(client, member.state);
      const MemberState was = at->second;
      if (was == MemberState::kRejected) {
        EXPECT_EQ(member.state, MemberState::kRejected) << "two fates";
      }
      if (was == MemberState::kDone && member.state != MemberState::kDone) {
        EXPECT_TRUE(revoked && member.state == MemberState::kRejected) << "two fates";
      }
      const bool has_reason =
          member.state == MemberState::kGone || member.state == MemberState::kRejected;
      EXPECT_EQ(has_reason, !member.reason.empty());
      at->second = member.state;
    }
    EXPECT_EQ(fates_.size(), round.members().size()) << "a member was forgotten";
    EXPECT_EQ(fates_.size(), deadlines_.size()) << "a member was never assigned";
  }

  void SeePlaces(const Round& round) const {
    int held = 0, done = 0;
    for (const auto& [client, member] : round.members()) {
      done += member.state == MemberState::kDone;
      held += member.state == MemberState::kDone || member.state == MemberState::kAssigned;
    }
    if (round.phase() != RoundPhase::kOpen) {
      EXPECT_EQ(round.open_places(), 0);
      return;
    }
    EXPECT_EQ(round.open_places(), std::max(0, policy_.cohort_size - held));
    EXPECT_EQ(round.updates(), done);
    EXPECT_LT(done, policy_.target_updates) << "open at the target";
  }

  RoundPolicy policy_;
  int closes_ = 0, folds_ = 0, commits_ = 0, discards_ = 0;
  std::map<ClientId, MemberState> fates_;
  std::map<ClientId, absl::Time> deadlines_;
};

struct Played {
  std::string trace;  // everything that came out
  RoundPhase phase;
};

Played Play(std::uint64_t seed) {
  RandomStream random(seed, RandomPurpose::kTest, 0);
  const RoundPolicy policy = RandomPolicy(random);
  EXPECT_TRUE(Validate(policy).ok());
  absl::Time now = kNoon;
  Round round(RoundId{1}, policy, now);
  Watcher watcher(policy);
  std::string trace;
  for (int step = 0; step < kSteps; ++step) {
    now += absl::Seconds(random.Below(8));
    const Event event = RandomEvent(random);
    const auto result = round.On(event, now);
    watcher.See(round, event, result);
    absl::StrAppend(&trace, event.index(), ":", static_cast<int>(result.status().code()));
    if (!result.ok()) continue;
    for (const Action& action : *result) absl::StrAppend(&trace, ",", action.index());
  }
  return {trace, round.phase()};
}

TEST(RoundRandomTest, HoldsItsInvariantsUnderAnyEvents) {
  std::map<RoundPhase, int> ended;
  for (int seed = 0; seed < kSeeds && !::testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    ++ended[Play(seed).phase];
  }
  EXPECT_GT(ended[RoundPhase::kPublished], kSeeds / 20) << "the events lead nowhere";
  EXPECT_GT(ended[RoundPhase::kFailed], kSeeds / 20) << "the events lead nowhere";
}

TEST(RoundRandomTest, EqualEventsGiveEqualActions) {
  std::string all;
  for (int seed = 0; seed < 50; ++seed) {
    const std::string once = Play(seed).trace;
    EXPECT_EQ(once, Play(seed).trace) << "seed " << seed;
    EXPECT_NE(once, all);
    all = once;
  }
}

// Time alone, by next_wake, ends every round: nobody is forgotten, nothing is woken for ever.
TEST(RoundRandomTest, ItsWakeUpsLeadToItsEnd) {
  for (int seed = 0; seed < kSeeds; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    RandomStream random(seed, RandomPurpose::kTest, 1);
    RoundPolicy policy = RandomPolicy(random);
    absl::Time now = kNoon;
    Round round(RoundId{1}, policy, now);
    int wakes = 0;
    while (round.phase() == RoundPhase::kOpen) {
      if (round.open_places() > 0 && random.Below(2) == 0) {
        (void)round.On(Drawn{RandomClient(random)}, now);
      }
      if (random.Below(3) == 0) (void)round.On(Renewed{RandomClient(random)}, now);
      const absl::Time wake = round.next_wake();
      ASSERT_GT(wake, now);
      ASSERT_LE(wake, round.deadline());
      now = wake;
      ASSERT_TRUE(round.On(Ticked{}, now).ok());
      for (const auto& [client, member] : round.members()) {
        if (round.phase() != RoundPhase::kOpen || member.state != MemberState::kAssigned) continue;
        ASSERT_GT(std::min(member.deadline, member.lease_ends), now) << "overdue and not freed";
      }
      ASSERT_LT(++wakes, 1'000);
    }
    EXPECT_EQ(round.next_wake(), absl::InfiniteFuture());
    EXPECT_EQ(now, round.deadline());
  }
}

}  // namespace
}  // namespace fed::server
