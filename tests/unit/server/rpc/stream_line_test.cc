// The way to a reactor, and its end.
#include "server/rpc/stream_line.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::server {
namespace {

using ::testing::SizeIs;

struct FakeReactor {
  void Finish(const grpc::Status& status) { finished.push_back(status); }
  void StartRead() { ++reads; }

  std::vector<grpc::Status> finished;
  int reads = 0;
};

TEST(StreamLineTest, LeadsToTheReactorWhileThereIsOne) {
  FakeReactor reactor;
  StreamLine<FakeReactor> line(&reactor);
  line.With([](FakeReactor& it) { it.StartRead(); });
  line.With([](FakeReactor& it) { it.StartRead(); });
  EXPECT_EQ(reactor.reads, 2);
}

TEST(StreamLineTest, TheFirstEndWins) {
  FakeReactor reactor;
  StreamLine<FakeReactor> line(&reactor);

  EXPECT_TRUE(line.Finish(Status(StatusCode::kAborted, "the round is over")));
  EXPECT_FALSE(line.Finish(Status()));

  ASSERT_THAT(reactor.finished, SizeIs(1));
  EXPECT_EQ(reactor.finished[0].error_code(), grpc::StatusCode::ABORTED);
  EXPECT_EQ(reactor.finished[0].error_message(), "the round is over");
}

TEST(StreamLineTest, NothingReachesTheReactorAfterTheEnd) {
  FakeReactor reactor;
  StreamLine<FakeReactor> line(&reactor);
  line.Finish(Status());
  line.With([](FakeReactor& it) { it.StartRead(); });
  EXPECT_EQ(reactor.reads, 0);
}

TEST(StreamLineTest, EndsOnceWhoeverEndsIt) {
  constexpr int kThreads = 4;
  for (int repeat = 0; repeat < 50; ++repeat) {
    FakeReactor reactor;
    StreamLine<FakeReactor> line(&reactor);
    std::atomic<int> won = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&] {
        line.With([](FakeReactor& it) { it.StartRead(); });
        won += line.Finish(Status()) ? 1 : 0;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(won, 1);
    EXPECT_THAT(reactor.finished, SizeIs(1));
    EXPECT_GE(reactor.reads, 1);
  }
}

}  // namespace
}  // namespace fed::server
