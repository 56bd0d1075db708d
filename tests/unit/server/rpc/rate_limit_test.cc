// Who may knock how often.
#include "server/rpc/rate_limit.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

// One address: 5 a second, 10 at once; all together: 10 a second, 20 at once.
RateLimitOptions Small() {
  RateLimitOptions options;
  options.per_second = 10;
  options.burst = 20;
  options.address_share = 0.5;
  return options;
}

// How many of 100 calls at one time are taken.
int Taken(RateLimit& limit, const std::string& peer, absl::Time now) {
  int taken = 0;
  for (int i = 0; i < 100; ++i) taken += limit.Admit(peer, now).ok() ? 1 : 0;
  return taken;
}

TEST(RateLimitTest, SaysHowManyAreTakenAndToComeBack) {
  RateLimit limit(Small());
  Taken(limit, "ipv4:10.0.0.1:5000", kStart);
  EXPECT_THAT(limit.Admit("ipv4:10.0.0.1:5000", kStart),
              StatusIs(StatusCode::kResourceExhausted,
                       "too many enrollments at once (10 a second are taken); try again in a few "
                       "seconds"));
}

TEST(RateLimitTest, OneAddressMayUseItsShareAtOnceAndMoreAsTimePasses) {
  RateLimit limit(Small());
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.1:5000", kStart), 10);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.1:5000", kStart + absl::Milliseconds(199)), 0);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.1:5000", kStart + absl::Milliseconds(201)), 1);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.1:5000", kStart + absl::Milliseconds(1'100)), 4);
}

TEST(RateLimitTest, NoPauseSavesUpMoreThanTheBurst) {
  RateLimit limit(Small());
  Taken(limit, "ipv4:10.0.0.1:5000", kStart);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.1:5000", kStart + absl::Hours(100)), 10);
}

TEST(RateLimitTest, APortMakesNoOtherAddress) {
  RateLimit limit(Small());
  EXPECT_EQ(Taken(limit, "ipv6:%5B::1%5D:5000", kStart), 10);
  EXPECT_EQ(Taken(limit, "ipv6:%5B::1%5D:5001", kStart), 0);
  EXPECT_EQ(Taken(limit, "ipv6:%5B::2%5D:5001", kStart), 10);
}

TEST(RateLimitTest, ManyAddressesShareTheWhole) {
  RateLimit limit(Small());
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.1:1", kStart), 10);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.2:1", kStart), 10);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.3:1", kStart), 0);
  EXPECT_EQ(Taken(limit, "ipv4:10.0.0.4:1", kStart + absl::Milliseconds(501)), 5);
}

TEST(RateLimitTest, ForgetsTheQuietestAddressFirst) {
  RateLimitOptions options = Small();
  options.burst = 2'000;
  options.address_share = 0.01;  // 20 at once, one in 10 s
  options.addresses = 2;
  RateLimit limit(options);
  EXPECT_EQ(Taken(limit, "ipv4:1:1", kStart), 20);
  EXPECT_EQ(Taken(limit, "ipv4:2:1", kStart + absl::Seconds(1)), 20);
  EXPECT_EQ(Taken(limit, "ipv4:1:1", kStart + absl::Seconds(2)), 0) << "still remembered";
  EXPECT_EQ(Taken(limit, "ipv4:3:1", kStart + absl::Seconds(3)), 20);
  EXPECT_EQ(Taken(limit, "ipv4:1:1", kStart + absl::Seconds(3)), 0) << "2 was quieter";
  EXPECT_EQ(Taken(limit, "ipv4:2:1", kStart + absl::Seconds(3)), 20) << "forgotten";
}

TEST(RateLimitTest, CountsCallsOfManyThreadsOnce) {
  RateLimit limit(Small());
  std::atomic<int> taken = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back(
        [&, t] { taken += Taken(limit, absl::StrCat("ipv4:10.0.0.", t, ":1"), kStart); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(taken, 20);
}

}  // namespace
}  // namespace fed::server
