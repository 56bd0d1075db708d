// The draw: seeded, fair, and blind to who came first.
#include "server/round/cohort.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::server {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<ClientId> Clients(int n) {
  std::vector<ClientId> clients;
  for (int i = 0; i < n; ++i) clients.push_back(ClientId{absl::StrCat("c", i)});
  return clients;
}

TEST(CohortTest, DrawsAsManyAsThereArePlacesSortedAndEachOnce) {
  const auto cohort = DrawCohort({1, RoundId{1}, 0}, Clients(50), 20);
  EXPECT_THAT(cohort, SizeIs(20));
  EXPECT_TRUE(std::is_sorted(cohort.begin(), cohort.end()));
  EXPECT_THAT(std::set<ClientId>(cohort.begin(), cohort.end()), SizeIs(20));
}

TEST(CohortTest, DrawsAllOfFewerThanThePlaces) {
  EXPECT_THAT(DrawCohort({1, RoundId{1}, 0}, Clients(3), 20), SizeIs(3));
  EXPECT_THAT(DrawCohort({1, RoundId{1}, 0}, Clients(3), 0), IsEmpty());
  EXPECT_THAT(DrawCohort({1, RoundId{1}, 0}, {}, 5), IsEmpty());
}

TEST(CohortTest, DoesNotDependOnTheOrderOfArrivalNorOnRepeats) {
  std::vector<ClientId> reversed = Clients(40);
  std::reverse(reversed.begin(), reversed.end());
  reversed.push_back(ClientId{"c7"});
  EXPECT_EQ(DrawCohort({5, RoundId{2}, 0}, Clients(40), 10),
            DrawCohort({5, RoundId{2}, 0}, reversed, 10));
}

TEST(CohortTest, SeedRoundAndReplacementEachDrawAnew) {
  std::set<std::vector<ClientId>> draws;
  draws.insert(DrawCohort({1, RoundId{1}, 0}, Clients(100), 10));
  draws.insert(DrawCohort({2, RoundId{1}, 0}, Clients(100), 10));
  draws.insert(DrawCohort({1, RoundId{2}, 0}, Clients(100), 10));
  draws.insert(DrawCohort({1, RoundId{1}, 1}, Clients(100), 10));
  EXPECT_THAT(draws, SizeIs(4));
}

// 3,000 draws of 5 out of 20: each client 750 times, with a standard deviation of 24.
TEST(CohortTest, DrawsEveryClientEquallyOften) {
  std::map<ClientId, int> drawn;
  for (int round = 1; round <= 3'000; ++round) {
    for (const ClientId& client : DrawCohort({9, RoundId{round}, 0}, Clients(20), 5)) {
      ++drawn[client];
    }
  }
  ASSERT_THAT(drawn, SizeIs(20));
  for (const auto& [client, times] : drawn) {
    EXPECT_NEAR(times, 750, 5 * 24) << client.value;
  }
}

TEST(TrainingSeedTest, IsEachClientsAndRoundsOwn) {
  std::set<std::uint64_t> seeds;
  for (int round = 1; round <= 10; ++round) {
    for (const ClientId& client : Clients(100)) {
      seeds.insert(TrainingSeed(1, RoundId{round}, client));
    }
  }
  seeds.insert(TrainingSeed(2, RoundId{1}, ClientId{"c0"}));
  EXPECT_THAT(seeds, SizeIs(1'001));
  EXPECT_EQ(TrainingSeed(1, RoundId{3}, ClientId{"c5"}),
            TrainingSeed(1, RoundId{3}, ClientId{"c5"}));
}

}  // namespace
}  // namespace fed::server
