// Which calls end when an identity is revoked.
#include "server/rpc/live_calls.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const Status kRevoked(StatusCode::kPermissionDenied, "client a is revoked");

// Notes in `ended` that the call of this name has been ended.
LiveCalls::End Note(std::vector<std::string>& ended, const std::string& name) {
  return [&ended, name](const Status&) { ended.push_back(name); };
}

TEST(LiveCallsTest, EndsEveryCallOfOneIdentityAndNoOther) {
  LiveCalls calls;
  std::vector<std::string> ended;
  const auto before = calls.Add(ClientId{"A"}, Note(ended, "before"));
  const auto first = calls.Add(ClientId{"a"}, Note(ended, "first"));
  const auto longer = calls.Add(ClientId{"aa"}, Note(ended, "longer"));
  const auto second = calls.Add(ClientId{"a"}, Note(ended, "second"));

  calls.EndAll(ClientId{"a"}, kRevoked);

  EXPECT_THAT(ended, ElementsAre("first", "second"));
}

TEST(LiveCallsTest, TellsACallWhyItIsEnded) {
  LiveCalls calls;
  Status told;
  const auto call = calls.Add(ClientId{"a"}, [&](const Status& why) { told = why; });

  calls.EndAll(ClientId{"a"}, kRevoked);

  EXPECT_THAT(told, StatusIs(StatusCode::kPermissionDenied, "client a is revoked"));
}

TEST(LiveCallsTest, LeavesOutACallThatIsOver) {
  LiveCalls calls;
  std::vector<std::string> ended;
  auto over = calls.Add(ClientId{"a"}, Note(ended, "over"));
  const auto running = calls.Add(ClientId{"a"}, Note(ended, "running"));

  over.reset();
  calls.EndAll(ClientId{"a"}, kRevoked);

  EXPECT_THAT(ended, ElementsAre("running"));
}

TEST(LiveCallsTest, KeepsNothingOfACallThatIsOver) {
  LiveCalls calls;
  auto state = std::make_shared<int>();
  auto call = calls.Add(ClientId{"a"}, [state](const Status&) {});
  EXPECT_EQ(state.use_count(), 2);

  call.reset();

  EXPECT_EQ(state.use_count(), 1);
}

TEST(LiveCallsTest, EndingACallMayRemoveItAndAddAnother) {
  LiveCalls calls;
  std::vector<std::string> ended;
  std::unique_ptr<LiveCalls::Registration> call, next;
  call = calls.Add(ClientId{"a"}, [&](const Status&) {
    ended.push_back("call");
    call.reset();
    next = calls.Add(ClientId{"a"}, Note(ended, "next"));
  });

  calls.EndAll(ClientId{"a"}, kRevoked);

  EXPECT_THAT(ended, ElementsAre("call")) << "what is added while others end is not ended";
}

TEST(LiveCallsTest, EndsNothingOfAnIdentityWithoutCalls) {
  LiveCalls calls;
  std::vector<std::string> ended;
  const auto call = calls.Add(ClientId{"b"}, Note(ended, "b"));
  calls.EndAll(ClientId{"a"}, kRevoked);
  EXPECT_THAT(ended, IsEmpty());
}

TEST(LiveCallsTest, CallsComeAndGoWhileOthersEnd) {
  constexpr int kCalls = 2'000;
  LiveCalls calls;
  const auto ends = std::make_shared<std::atomic<int>>(0);
  const auto lasting = calls.Add(ClientId{"a"}, [ends](const Status&) { ++*ends; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 2; ++t) {
    threads.emplace_back([&calls, ends] {
      for (int i = 0; i < kCalls; ++i) {
        const auto call = calls.Add(ClientId{"a"}, [ends](const Status&) { ++*ends; });
      }
    });
  }
  for (int i = 0; i < kCalls; ++i) calls.EndAll(ClientId{"a"}, kRevoked);
  for (std::thread& thread : threads) thread.join();

  EXPECT_GE(*ends, kCalls) << "the lasting call is ended each time";
  const int so_far = *ends;
  calls.EndAll(ClientId{"a"}, kRevoked);
  EXPECT_EQ(*ends, so_far + 1) << "only the lasting call is left";
}

}  // namespace
}  // namespace fed::server
