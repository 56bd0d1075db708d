// TLS 1.3 only: asked of OpenSSL, and found out by a probe.
#include "server/security/tls_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "tests/testing/status_matchers.h"
#include "tests/testing/test_pki.h"
#include "tests/unit/server/security/tls_server.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::fed::testing::TestPki;
using ::testing::HasSubstr;

const std::string& Ca() { return TestPki::Shared().root_pem(); }

TEST(ProbeTls13Only, IsContentWithTls13Alone) {
  const TlsServer server({.oldest = TLS1_3_VERSION});

  EXPECT_OK(ProbeTls13Only(server.address(), Ca()));
}

TEST(ProbeTls13Only, IsContentWithAServerThatWantsACertificate) {
  const TlsServer server({.oldest = TLS1_3_VERSION, .wants_certificate = true});

  EXPECT_OK(ProbeTls13Only(server.address(), Ca()));
}

TEST(ProbeTls13Only, RefusesAServerThatAnswersTls12) {
  const TlsServer server({.oldest = TLS1_2_VERSION});

  EXPECT_THAT(ProbeTls13Only(server.address(), Ca()),
              StatusIs(StatusCode::kFailedPrecondition,
                       server.address() + " answers TLS 1.2: only TLS 1.3 may be served"));
}

TEST(ProbeTls13Only, RefusesTls12EvenIfItsHandshakeFailsForWantOfACertificate) {
  const TlsServer server({.oldest = TLS1_2_VERSION, .wants_certificate = true});

  EXPECT_THAT(ProbeTls13Only(server.address(), Ca()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("answers TLS 1.2")));
}

TEST(ProbeTls13Only, RefusesAServerWithoutTls13) {
  const TlsServer server({.newest = TLS1_2_VERSION});

  EXPECT_THAT(ProbeTls13Only(server.address(), Ca()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("ended the handshake")));
}

TEST(ProbeTls13Only, RefusesACertificateOfAnotherCa) {
  const TlsServer server({.oldest = TLS1_3_VERSION});

  EXPECT_THAT(ProbeTls13Only(server.address(), TestPki::Wrong().root_pem()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("is not trusted")));
}

TEST(ProbeTls13Only, SaysWhenNobodyIsThere) {
  std::string address;
  {
    const TlsServer server({.answers = false});
    address = server.address();
  }

  EXPECT_THAT(ProbeTls13Only(address, Ca()),
              StatusIs(StatusCode::kUnavailable, HasSubstr("connect to " + address)));
}

TEST(ProbeTls13Only, GivesUpOnASilentPeer) {
  const TlsServer server({.answers = false});

  EXPECT_THAT(ProbeTls13Only(server.address(), Ca(), absl::Milliseconds(20)),
              StatusIs(StatusCode::kUnavailable, HasSubstr("did not answer a TLS hello")));
}

TEST(ProbeTls13Only, RefusesACaThatIsNone) {
  const TlsServer server({.oldest = TLS1_3_VERSION});

  EXPECT_THAT(ProbeTls13Only(server.address(), "rubbish"), StatusIs(StatusCode::kInvalidArgument));
}

// In a process of its own: it changes all TLS contexts that are made later. Each server is set up
// for TLS 1.2 and 1.3, as gRPC does.
int RequireTls13AndProbe() {
  const Status before = ProbeTls13Only(TlsServer({}).address(), Ca());
  const Status required = RequireTls13();
  const TlsServer server({});
  const Status after = ProbeTls13Only(server.address(), Ca());
  std::cerr << "before: " << before.message() << "\nrequired: " << required.message()
            << "\nafter: " << after.message() << "\n";
  return !before.ok() && required.ok() && after.ok() ? 0 : 1;
}

TEST(RequireTls13DeathTest, LeavesNoOlderProtocolToLaterContexts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");

  EXPECT_EXIT(std::exit(RequireTls13AndProbe()), ::testing::ExitedWithCode(0), "after: \n");
}

}  // namespace
}  // namespace fed::server
