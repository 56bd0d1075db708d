// What the three listeners take, whoever calls: TLS, compression, size, health, reflection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "server/security/tls_policy.h"
#include "tests/integration/job_operator.h"
#include "tests/integration/peer.h"
#include "tests/integration/running_server.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kHealth[] = "/grpc.health.v1.Health/Check";
constexpr char kReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
const std::string kServing = "\x08\x01";        // HealthCheckResponse{status: SERVING}
const std::string kListServices = "\x3a\x01*";  // ServerReflectionRequest{list_services: "*"}

TEST(Listeners, AnswerNoTlsHelloBefore13) {
  RunningServer server;
  const std::string& root = TestPki::Shared().root_pem();

  EXPECT_OK(server::ProbeTls13Only(server.addresses().enrollment, root, kPatience));
  for (const std::string& address : {server.addresses().main, server.addresses().admin}) {
    EXPECT_OK(server::ProbeTls13Only(address, root, kPatience));
  }
}

// The library would inflate before it looks at its limit.
TEST(Listeners, RefuseCompressedMessagesBeforeTheyAreInflated) {
  RunningServer server;
  const Peer device(server.addresses().main, TestPki::Shared().Client("zipper"));
  v1::Participate::Stub stub(device.channel());
  for (const grpc_compression_algorithm algorithm : {GRPC_COMPRESS_GZIP, GRPC_COMPRESS_DEFLATE}) {
    grpc::ClientContext context;
    Peer::SetDeadline(context);
    context.set_compression_algorithm(algorithm);
    v1::CheckInRequest bomb = CheckInFor("any");
    bomb.mutable_abilities()->set_platform(std::string(64 << 20, 'a'));  // some 60 KB as gzip
    v1::CheckInReply reply;

    const Status status = Peer::Told(stub.CheckIn(&context, bomb, &reply));

    EXPECT_THAT(status, StatusIs(StatusCode::kUnimplemented, HasSubstr("ompression")));
  }
  EXPECT_THAT(device.Call(&v1::Participate::Stub::CheckIn, CheckInFor("any")), IsOk())
      << "the server goes on";
}

TEST(Listeners, RefuseMessagesAboveTheirLimit) {
  RunningServer server;
  const Peer device(server.addresses().main, TestPki::Shared().Client("loud"));
  const Peer stranger(server.addresses().enrollment);

  EXPECT_THAT(device.CallByName("/fed.v1.Participate/CheckIn", std::string(5 << 20, 'x')),
              StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(stranger.CallByName("/fed.v1.Enroll/EnrollDevice", std::string(65 << 10, 'x')),
              StatusIs(StatusCode::kResourceExhausted));
}

TEST(Listeners, ServeHealthToDevicesAndOperators) {
  RunningServer server;
  const Peer device(server.addresses().main, TestPki::Shared().Client("nurse"));
  const Peer viewer(server.addresses().admin, TestPki::Shared().Viewer("nurse"));

  EXPECT_THAT(device.CallByName(kHealth), IsOkAndHolds(kServing));
  EXPECT_THAT(viewer.CallByName(kHealth), IsOkAndHolds(kServing));
}

TEST(Listeners, ServeNoReflectionUnlessItIsOn) {
  RunningServer server;
  const Peer oper(server.addresses().admin, TestPki::Shared().Operator("curious"));

  EXPECT_THAT(oper.CallByName(kReflection, kListServices), StatusIs(StatusCode::kUnimplemented));
}

TEST(Listeners, ServeReflectionToOperatorsOnlyWhenItIsOn) {
  RunningServer server([](server::ServerConfig& config) { config.listen.reflection = true; });
  const Peer oper(server.addresses().admin, TestPki::Shared().Operator("curious"));
  const Peer device(server.addresses().main, TestPki::Shared().Client("curious"));
  const Peer stranger(server.addresses().enrollment);

  const auto services = oper.CallByName(kReflection, kListServices);
  ASSERT_THAT(services, IsOk());
  EXPECT_THAT(*services, HasSubstr("fed.v1.Admin"));
  EXPECT_THAT(device.CallByName(kReflection, kListServices), StatusIs(StatusCode::kUnimplemented));
  EXPECT_THAT(stranger.CallByName(kReflection, kListServices),
              StatusIs(StatusCode::kUnimplemented));
}

TEST(Listeners, DrainEndsPollsWithComeBackLater) {
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "waits", .cohort = 2});
  const Peer device(server.addresses().main, TestPki::Shared().Client("patient"));
  Poll poll(device.channel(), CheckInFor("waits"));
  ASSERT_TRUE(LookUntil([&] { return oper.Show("waits").devices_waiting() == 1; }));

  server.Drain();

  const auto reply = poll.Await();
  ASSERT_THAT(reply, IsOk());
  EXPECT_EQ(reply->come_back().reason(), v1::ComeBack::REASON_SHUTTING_DOWN);
  EXPECT_GT(reply->come_back().after_ms(), 0);
}

}  // namespace
}  // namespace fed::testing
