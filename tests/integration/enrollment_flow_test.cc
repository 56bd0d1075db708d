// How a device becomes known, over the wire: tokens, renewal, and the SDK doing it by itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/time/clock.h"
#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "common/crypto/enroll_token.h"
#include "server/store/sqlite_store.h"
#include "tests/integration/job_operator.h"
#include "tests/integration/peer.h"
#include "tests/integration/running_server.h"
#include "tests/integration/sdk_devices.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

v1::CheckInRequest CheckInAtOnce() {
  v1::CheckInRequest request = CheckInFor("none");
  request.set_hold_ms(0);
  return request;
}

StatusOr<v1::EnrollDeviceReply> Renewed(const Peer& peer, const PrivateKey& key) {
  v1::RenewCertificateRequest request;
  request.set_csr(Csr::Make(key).der());
  return peer.Call(&v1::Renewal::Stub::RenewCertificate, request);
}

TEST(Enrollment, GivesACertificateThatServes) {
  RunningServer server;
  JobOperator oper(server);

  const TestIdentity identity = Enrolled(server, oper.Token(Role::kClient));

  const Peer device(server.addresses().main, identity);
  EXPECT_THAT(device.Call(&v1::Participate::Stub::CheckIn, CheckInAtOnce()), IsOk());
  const auto clients =
      Must(oper.peer().Call(&v1::Admin::Stub::ListClients, v1::ListClientsRequest()));
  ASSERT_THAT(clients.clients(), SizeIs(1));
  EXPECT_EQ(clients.clients(0).id(), identity.caller.id.value);
  EXPECT_EQ(clients.clients(0).role(), "client");
  EXPECT_EQ(clients.clients(0).name(), "enrolled by hand");
}

TEST(Enrollment, TheRoleIsTheTokens) {
  RunningServer server;
  JobOperator oper(server);

  const Peer viewer(server.addresses().admin, Enrolled(server, oper.Token(Role::kViewer)));

  EXPECT_THAT(viewer.Call(&v1::Admin::Stub::ListJobs, v1::ListJobsRequest()), IsOk());
  v1::JobRequest request;
  request.set_job("any");
  EXPECT_THAT(viewer.Call(&v1::Admin::Stub::StopJob, request),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(Enrollment, AUsedUpTokenIsRefusedAsAnUnknownOneIs) {
  RunningServer server;
  JobOperator oper(server);
  const std::string token = oper.Token(Role::kClient, 2);
  EXPECT_OK(Enroll(server, token, PrivateKey::Generate()));
  EXPECT_OK(Enroll(server, token, PrivateKey::Generate()));

  const auto used_up = Enroll(server, token, PrivateKey::Generate());
  const auto unknown = Enroll(server, std::string(64, '0'), PrivateKey::Generate());

  EXPECT_THAT(used_up, StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(unknown, StatusIs(StatusCode::kUnauthenticated, used_up.status().message()));
}

// Its row is written before the server starts: nobody waits for it to expire.
TEST(Enrollment, AnExpiredTokenIsRefused) {
  const EnrollToken token = EnrollToken::Make(TestPki::Shared().root().fingerprint());
  RunningServer server([&](server::ServerConfig& config) {
    server::SqliteStoreOptions options;
    options.path = config.storage.state_dir + "/fedserver.db";
    const auto store = Must(server::OpenSqliteStore(options));
    server::EnrollTokenRecord record;
    record.hash = EnrollTokenHash(token.secret);
    record.uses_left = 5;
    record.expires_at = absl::Now() - absl::Seconds(1);
    EXPECT_OK(store->Write([&](server::StoreEdit& edit) { return edit.PutEnrollToken(record); }));
  });

  EXPECT_THAT(Enroll(server, token.ToText(), PrivateKey::Generate()),
              StatusIs(StatusCode::kUnauthenticated));
}

TEST(Enrollment, TheSameKeyAndTokenGetTheSameCertificateAgain) {
  RunningServer server;
  JobOperator oper(server);
  const std::string token = oper.Token(Role::kClient, 1);
  const PrivateKey key = PrivateKey::Generate();

  const auto first = Must(Enroll(server, token, key));
  const auto again = Must(Enroll(server, token, key));

  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
}

TEST(Enrollment, ARequestThatIsNoneIsInvalid) {
  RunningServer server;
  JobOperator oper(server);
  v1::EnrollDeviceRequest request;
  const std::string token = oper.Token(Role::kClient);
  request.set_token(token.substr(0, token.find('.')));
  request.set_csr("not a request");

  EXPECT_THAT(Peer(server.addresses().enrollment).Call(&v1::Enroll::Stub::EnrollDevice, request),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_OK(Enroll(server, token, PrivateKey::Generate())) << "the token is as good as before";
}

TEST(Renewal, KeepsTheIdentityWithANewKey) {
  RunningServer server;
  JobOperator oper(server);
  const TestIdentity old = Enrolled(server, oper.Token(Role::kClient));
  const PrivateKey key = PrivateKey::Generate();

  const auto reply = Must(Renewed(Peer(server.addresses().main, old), key));

  EXPECT_EQ(reply.id(), old.caller.id.value);
  EXPECT_EQ(reply.role(), "client");
  EXPECT_NE(reply.certificate(), old.certificate_der);
  const Peer renewed(server.addresses().main, IdentityOf(reply, key));
  EXPECT_THAT(renewed.Call(&v1::Participate::Stub::CheckIn, CheckInAtOnce()), IsOk());
}

// With a signature by the old key, for an identity that is not revoked, within the grace time.
TEST(Reenrollment, BringsADeviceBackWhoseCertificateHasExpired) {
  RunningServer server;
  JobOperator oper(server);
  const TestIdentity known = Enrolled(server, oper.Token(Role::kClient));
  const TestIdentity expired =
      TestPki::Shared().Issue(known.caller, TestPki::ExpiredBy(absl::Hours(24), absl::Now()));
  const PrivateKey key = PrivateKey::Generate();
  v1::ReenrollRequest request;
  request.set_expired_certificate(expired.certificate_der);
  request.set_csr(Csr::Make(key).der());
  const Peer stranger(server.addresses().enrollment);

  request.set_old_key_signature(key.Sign(request.csr()));
  EXPECT_THAT(stranger.Call(&v1::Enroll::Stub::Reenroll, request),
              StatusIs(StatusCode::kUnauthenticated))
      << "signed by the wrong key";
  request.set_old_key_signature(Must(PrivateKey::FromPem(expired.key_pem)).Sign(request.csr()));
  const auto reply = Must(stranger.Call(&v1::Enroll::Stub::Reenroll, request));
  EXPECT_EQ(reply.id(), known.caller.id.value);
  oper.Revoke(known.caller.id.value);
  EXPECT_THAT(stranger.Call(&v1::Enroll::Stub::Reenroll, request),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(Enrollment, TheSdkEnrollsTakesPartAndRenewsByItself) {
  const TinyData data(20, 1);
  RunningServer server([](server::ServerConfig& config) {
    config.ca.certificate_life = absl::Minutes(1);  // with 5 minutes of backdating: due at once
  });
  JobOperator oper(server);
  oper.Create({.id = "field", .rounds = 2});

  SdkDevices devices(server);
  devices.AddWithToken("meter", oper.Token(Role::kClient), "field", data.NativeTrainer());

  ASSERT_TRUE(devices.AwaitEnds());
  EXPECT_THAT(devices.ends(), UnorderedElementsAre(Pair("meter/field", IsOk())));
  EXPECT_EQ(oper.Show("field").state(), v1::JOB_STATE_COMPLETED);
  EXPECT_TRUE(server.HasLogged("client.enrolled"));
  EXPECT_TRUE(server.HasLogged("client.renewed"));
}

TEST(Enrollment, TheSdkGivesUpWithATokenThatIsNotGood) {
  const TinyData data(20, 1);
  RunningServer server;
  JobOperator oper(server);
  const std::string token = oper.Token(Role::kClient);
  EXPECT_OK(Enroll(server, token, PrivateKey::Generate()));

  SdkDevices devices(server);
  devices.AddWithToken("late", token, "field", data.NativeTrainer());

  ASSERT_TRUE(devices.AwaitEnds());
  EXPECT_THAT(devices.ends(),
              UnorderedElementsAre(Pair("late/field", StatusIs(StatusCode::kUnauthenticated))));
}

// Whoever stands between device and server has another root than the token names.
TEST(Enrollment, TheSdkDoesNotTalkToAServerOfAnotherRoot) {
  const TinyData data(20, 1);
  RunningServer server;
  JobOperator oper(server);
  EnrollToken token = Must(EnrollToken::Parse(oper.Token(Role::kClient)));
  token.root_fingerprint = TestPki::Wrong().root().fingerprint();

  SdkDevices devices(server);
  devices.AddWithToken("wary", token.ToText(), "field", data.NativeTrainer());

  ASSERT_TRUE(devices.AwaitEnds());
  EXPECT_THAT(
      devices.ends(),
      UnorderedElementsAre(Pair("wary/field", StatusIs(StatusCode::kFailedPrecondition,
                                                       HasSubstr("not the server of the token")))));
  EXPECT_THAT(Enroll(server, token.ToText(), PrivateKey::Generate()), IsOk())
      << "the token was not sent, so it is not used up";
}

}  // namespace
}  // namespace fed::testing
