// A status means the same in process and on the wire.
#include "proto/wire/rpc_status.h"

#include "gtest/gtest.h"

namespace fed::wire {
namespace {

TEST(RpcStatusTest, EveryCodeComesBackAsItWas) {
  for (int code = 1; code <= 16; ++code) {
    const Status sent(static_cast<StatusCode>(code), "round 7 is closed");
    const Status got = FromGrpc(ToGrpc(sent));
    EXPECT_EQ(got.code(), sent.code());
    EXPECT_EQ(got.message(), sent.message());
  }
  EXPECT_TRUE(FromGrpc(ToGrpc(Status())).ok());
}

TEST(RpcStatusTest, AMessageThatWouldNotFitATrailerIsCut) {
  const Status sent(StatusCode::kInternal, std::string(10'000, 'x'));
  EXPECT_EQ(ToGrpc(sent).error_message().size(), 2'048u);
}

}  // namespace
}  // namespace fed::wire
