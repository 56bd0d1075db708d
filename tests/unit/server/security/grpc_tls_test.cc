// TLS 1.3 only holds for a real gRPC server, with certificates as our CA makes them.
#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "server/security/tls_policy.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_pki.h"

namespace fed::server {
namespace {

using ::fed::testing::TestIdentity;
using ::fed::testing::TestPki;

// A server that wants a client's certificate, as the main one does.
struct MutualServer {
  MutualServer() {
    std::signal(SIGPIPE, SIG_IGN);
    const TestPki& pki = TestPki::Shared();
    grpc::SslServerCredentialsOptions options(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = pki.root_pem();
    options.pem_key_cert_pairs.push_back({pki.server_key_pem(), pki.server_pem()});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(options), &port);
    builder.RegisterCallbackGenericService(&nothing);
    server = builder.BuildAndStart();
  }
  std::string address() const { return absl::StrCat("127.0.0.1:", port); }

  int port = 0;
  grpc::CallbackGenericService nothing;  // answers UNIMPLEMENTED; its threads shake hands
  std::unique_ptr<grpc::Server> server;
};

// The state that a channel settles in: READY, or TRANSIENT_FAILURE.
grpc_connectivity_state Settle(const std::string& address, const std::string& root_pem,
                               const TestIdentity& identity) {
  const auto channel = grpc::CreateChannel(
      address, grpc::SslCredentials({root_pem, identity.key_pem, identity.certificate_pem}));
  const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(20);
  grpc_connectivity_state state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY && state != GRPC_CHANNEL_TRANSIENT_FAILURE &&
         channel->WaitForStateChange(state, deadline)) {
    state = channel->GetState(true);
  }
  return state;
}

TEST(GrpcTls, TakesTheCertificatesOfOurCa) {
  const MutualServer server;

  EXPECT_EQ(Settle(server.address(), TestPki::Shared().root_pem(), TestPki::Shared().Client("a")),
            GRPC_CHANNEL_READY);
}

TEST(GrpcTls, RefusesToTrustAnotherCasServer) {
  const MutualServer server;

  EXPECT_EQ(Settle(server.address(), TestPki::Wrong().root_pem(), TestPki::Shared().Client("a")),
            GRPC_CHANNEL_TRANSIENT_FAILURE);
}

// In a process of its own: it changes all TLS contexts that are made later.
int RequireTls13AndProbe() {
  const std::string& ca = TestPki::Shared().root_pem();
  const Status before = ProbeTls13Only(MutualServer().address(), ca);
  const Status required = RequireTls13();
  const MutualServer server;
  const Status after = ProbeTls13Only(server.address(), ca);
  const auto state = Settle(server.address(), ca, TestPki::Shared().Client("a"));
  std::cerr << "before: " << before.message() << "\nrequired: " << required.message()
            << "\nafter: " << after.message() << "\nclient: " << state << "\n";
  return !before.ok() && required.ok() && after.ok() && state == GRPC_CHANNEL_READY ? 0 : 1;
}

TEST(GrpcTlsDeathTest, AnswersTls12UntilItIsForbidden) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  EXPECT_EXIT(std::exit(RequireTls13AndProbe()), ::testing::ExitedWithCode(0),
              "before: .* answers TLS 1.2");
}

}  // namespace
}  // namespace fed::server
