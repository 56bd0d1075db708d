// Enrolling, renewing, enrolling again, and files that others keep.
#include "client_sdk/session/identity.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "common/crypto/enroll_token.h"
#include "tests/unit/client_sdk/session/session_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::FakeServer;
using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr absl::Duration kLife = absl::Hours(24);

class IdentityTest : public SessionFixture {
 protected:
  IdentityTest() {
    token_ = EnrollToken::Make(pki_.root_fingerprint());
    options_.identity = {"fed.test:7444", token_.ToText(), "", "", ""};
    options_.name = "phone";
    options_.labels = {{"site", "berlin"}};
    options_.job = "";  // it waits for ever: time passes
    script_.come_back_after = absl::Minutes(1);
    MakeIssuer();
  }

  void MakeIssuer() {
    MakeServer();
    server_->on_enroll = [this](const EnrollRequest& request) -> StatusOr<Enrolled> {
      enrollments_.push_back(request);
      return Enrolled{CertifyCsr(request.csr_der), pki_.root_pem()};
    };
    server_->on_renew_certificate = [this](const std::string& csr) -> StatusOr<std::string> {
      renewal_csrs_.push_back(csr);
      return CertifyCsr(csr);
    };
    server_->on_reenroll = [this](const ReenrollRequest& request) -> StatusOr<Enrolled> {
      reenrollments_.push_back(request);
      return Enrolled{CertifyCsr(request.csr_der), pki_.root_pem()};
    };
  }

  std::string CertifyCsr(const std::string& csr_der) {
    const auto csr = Csr::FromDer(csr_der);
    EXPECT_OK(csr);
    return pki_.Certify(csr->public_key(), "phone", clock_.WallNow(), clock_.WallNow() + kLife);
  }

  bool RunFor(absl::Duration time) {
    const absl::Time end = clock_.Now() + time;
    while (clock_.Now() < end) {
      if (ended_) return false;
      if (!executor_->RunOne()) clock_.Advance(executor_->NextTime() - clock_.Now());
    }
    return true;
  }

  std::string Read(const std::string& path) {
    const auto text = ReadFile(files_, path, 1 << 20);
    return text.ok() ? *text : "";
  }
  bool PairOnDiskFits() {
    const auto certificate = Certificate::FromPem(Read("/state/cert.pem"));
    const auto key = PrivateKey::FromPem(Read("/state/key.pem"));
    return certificate.ok() && key.ok() && certificate->FitsKey(*key);
  }

  EnrollToken token_;
  std::vector<EnrollRequest> enrollments_;
  std::vector<std::string> renewal_csrs_;
  std::vector<ReenrollRequest> reenrollments_;
};

TEST_F(IdentityTest, ATokenMakesAnIdentityThatIsKept) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(5)));

  ASSERT_THAT(enrollments_, SizeIs(1));
  EXPECT_EQ(enrollments_[0].token, token_.secret);  // the fingerprint stays here
  EXPECT_EQ(enrollments_[0].root_fingerprint, pki_.root_fingerprint().ToHex());
  EXPECT_EQ(enrollments_[0].name, "phone");
  EXPECT_EQ(enrollments_[0].labels.at("site"), "berlin");
  EXPECT_GT(server_->counts().check_ins, 1);
  EXPECT_TRUE(PairOnDiskFits());
  EXPECT_EQ(Read("/state/root.pem"), pki_.root_pem());

  KillDevice();
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));
  EXPECT_THAT(enrollments_, SizeIs(1));
}

TEST_F(IdentityTest, ALostAnswerIsAskedForAgainWithTheSameKey) {
  server_->FailAt(1, FakeServer::ReplyLost());
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return enrollments_.size() == 1; }));
  KillDevice();  // even so
  ASSERT_OK(files_.SyncFolder("/"));
  files_.Crash();
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));

  ASSERT_THAT(enrollments_, SizeIs(2));
  EXPECT_EQ(Csr::FromDer(enrollments_[0].csr_der)->public_key().digest(),
            Csr::FromDer(enrollments_[1].csr_der)->public_key().digest());
}

TEST_F(IdentityTest, ATokenThatIsNotGoodEndsTheRun) {
  server_->on_enroll = [](const EnrollRequest&) -> StatusOr<Enrolled> {
    return Status(StatusCode::kUnauthenticated, "unknown, used up or expired token");
  };
  EXPECT_THAT(RunDevice(), StatusIs(StatusCode::kUnauthenticated, HasSubstr("token")));
}

TEST_F(IdentityTest, ARootThatIsNotTheTokensIsRefused) {
  const testing::DevicePki wrong;
  server_->on_enroll = [&](const EnrollRequest& request) -> StatusOr<Enrolled> {
    const auto csr = Csr::FromDer(request.csr_der);
    return Enrolled{wrong.Certify(csr->public_key(), "phone", clock_.Now(), clock_.Now() + kLife),
                    wrong.root_pem()};
  };
  EXPECT_THAT(RunDevice(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("root is not")));
  EXPECT_EQ(Read("/state/cert.pem"), "");
}

TEST_F(IdentityTest, ACertificateOfAnotherKeyIsRefused) {
  server_->on_enroll = [&](const EnrollRequest&) -> StatusOr<Enrolled> {
    return Enrolled{pki_.Device("phone").certificate_chain, pki_.root_pem()};
  };
  EXPECT_THAT(RunDevice(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("not the key of")));
}

TEST_F(IdentityTest, ItRenewsAroundTwoThirdsOfItsLifeWithANewKey) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Hours(13)));
  EXPECT_THAT(renewal_csrs_, SizeIs(0));
  const std::string old_key = Read("/state/key.pem");

  ASSERT_TRUE(RunFor(absl::Hours(6)));

  ASSERT_THAT(renewal_csrs_, SizeIs(1));
  EXPECT_NE(Read("/state/key.pem"), old_key);
  EXPECT_TRUE(PairOnDiskFits());
  EXPECT_EQ(Read("/state/next_key.pem"), "");
  EXPECT_EQ(Read("/state/next_cert.pem"), "");
  ASSERT_TRUE(RunFor(absl::Hours(100)));  // for ever
  EXPECT_GE(renewal_csrs_.size(), 5U);
  EXPECT_THAT(reenrollments_, SizeIs(0));
}

TEST_F(IdentityTest, ARenewalThatFailsIsTriedAgainWithTheSameKeyAndTheOldOneGoesOn) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Hours(13)));
  int tries = 0;
  std::vector<Digest> keys;
  server_->on_renew_certificate = [&](const std::string& csr) -> StatusOr<std::string> {
    keys.push_back(Csr::FromDer(csr)->public_key().digest());
    if (++tries < 4) return Status(StatusCode::kUnavailable, "issuing key is away");
    return CertifyCsr(csr);
  };
  const int check_ins = server_->counts().check_ins;
  ASSERT_TRUE(RunFor(absl::Hours(6)));
  EXPECT_EQ(tries, 4);
  EXPECT_EQ(keys[0], keys[3]);
  EXPECT_GT(server_->counts().check_ins, check_ins);
  EXPECT_TRUE(PairOnDiskFits());
}

TEST_F(IdentityTest, ThePowerMayGoAtAnyWriteOfARenewal) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Hours(1)));
  KillDevice();
  ASSERT_OK(files_.SyncFolder("/"));
  for (std::int64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    IdentityFiles identity(files_, "/state");
    files_.FailFrom(n);
    const auto key = identity.NextKey();
    const bool renewed =
        key.ok() && identity
                        .StoreRenewed(pki_.Certify(key->public_key(), "phone", clock_.Now(),
                                                   clock_.Now() + kLife))
                        .ok();
    files_.Crash();

    const auto loaded = identity.Load();
    ASSERT_THAT(loaded, IsOk());
    ASSERT_TRUE(loaded->has_value());
    EXPECT_TRUE(PairOnDiskFits());
    if (renewed) break;
  }
}

TEST_F(IdentityTest, AnExpiredDeviceEnrollsAgainWithBothKeys) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));
  KillDevice();
  const std::string old_certificate = Read("/state/cert.pem");
  clock_.Advance(absl::Hours(24 * 21));  // it was off for three weeks

  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));

  ASSERT_THAT(reenrollments_, SizeIs(1));
  const ReenrollRequest& request = reenrollments_[0];
  const auto expired = Certificate::FromDer(request.expired_certificate_der);
  ASSERT_THAT(expired, IsOk());
  EXPECT_EQ(expired->ToPem(), Certificate::FromPem(old_certificate)->ToPem());
  EXPECT_OK(expired->public_key()->Verify(request.csr_der, request.old_key_signature));
  EXPECT_FALSE(expired->public_key()->digest() ==
               Csr::FromDer(request.csr_der)->public_key().digest());
  EXPECT_TRUE(PairOnDiskFits());
  EXPECT_NE(Read("/state/cert.pem"), old_certificate);
}

TEST_F(IdentityTest, AClockThatIsWrongDoesNotMakeItGiveUp) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));
  KillDevice();
  clock_.SetWall(clock_.WallNow() + absl::Hours(24 * 365));
  server_->on_reenroll = [](const ReenrollRequest&) -> StatusOr<Enrolled> {
    return Status(StatusCode::kInvalidArgument, "it has not expired");
  };
  const int check_ins = server_->counts().check_ins;
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));
  EXPECT_GT(server_->counts().check_ins, check_ins);
  EXPECT_TRUE(Logged("/state/cert.pem expired on"));
}

TEST_F(IdentityTest, AServerThatWantsAnExpiredDeviceNoMoreEndsIt) {
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Minutes(1)));
  KillDevice();
  clock_.Advance(absl::Hours(24 * 90));
  server_->on_reenroll = [](const ReenrollRequest&) -> StatusOr<Enrolled> {
    return Status(StatusCode::kPermissionDenied, "expired too long ago");
  };
  EXPECT_THAT(RunDevice(), StatusIs(StatusCode::kPermissionDenied, "expired too long ago"));
}

TEST_F(IdentityTest, FilesThatOthersKeepAreReadAgainAndNeverRenewed) {
  options_.identity = {"", "", "/pki/cert.pem", "/pki/key.pem", "/pki/root.pem"};
  const PrivateKey key = PrivateKey::Generate();
  GiveCertificate({pki_.Certify(key.public_key(), "old", clock_.Now(), clock_.Now() + kLife),
                   key.ToPem(), pki_.root_pem()});
  StartDevice();
  ASSERT_TRUE(RunFor(absl::Hours(23)));
  EXPECT_EQ(server_->counts().certificates, 0);
  EXPECT_FALSE(Logged("identity.dates"));

  ASSERT_TRUE(RunFor(absl::Hours(2)));
  GiveCertificate(pki_.Device("new"));
  ASSERT_TRUE(RunFor(absl::Minutes(5)));

  std::vector<std::string> devices;
  for (const auto& taken : server_->taken()) devices.push_back(taken.device);
  EXPECT_THAT(devices, ::testing::ElementsAre("spiffe://fed.test/client/old",
                                              "spiffe://fed.test/client/new"));
}

TEST_F(IdentityTest, WhenTheServerCanNotBeReachedTheLogNamesTheFileAndTheDate) {
  options_.identity = {"", "", "/pki/cert.pem", "/pki/key.pem", "/pki/root.pem"};
  const PrivateKey key = PrivateKey::Generate();
  GiveCertificate({pki_.Certify(key.public_key(), "old", clock_.Now() - kLife * 4,
                                clock_.Now() - kLife * 3 - absl::Minutes(1)),
                   key.ToPem(), pki_.root_pem()});
  server_->SetDown(true);
  StartDevice();
  ASSERT_TRUE(RunUntil([&] { return Logged("check_in.failed"); }));
  EXPECT_TRUE(Logged("/pki/cert.pem expired on "));
  EXPECT_TRUE(Logged("(3 days ago)"));
}

}  // namespace
}  // namespace fed::client
