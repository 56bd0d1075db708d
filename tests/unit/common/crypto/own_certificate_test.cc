// What a device says about its own certificate.
#include "common/crypto/own_certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testing/status_matchers.h"
#include "tests/unit/common/crypto/small_ca.h"

namespace fed {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;

class OwnCertificates : public ::testing::Test {
 protected:
  OwnCertificate Mine(const CertificateTemplate& what) const {
    return {.certificate = {"client.pem", ca_.Issue(key_, what).ToPem() + ca_.issuing.ToPem()},
            .key = {"client.key", key_.ToPem()},
            .ca = {"ca.pem", ca_.root.ToPem()}};
  }

  SmallCa ca_;
  PrivateKey key_ = PrivateKey::Generate();
  OwnCertificate mine_ = Mine(ClientUntil(Day(2026, 1, 2)));
};

TEST_F(OwnCertificates, NeedNoAdviceWhileTheyAreValid) {
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 1)), IsOkAndHolds(""));
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 2)), IsOkAndHolds(""));
}

TEST_F(OwnCertificates, ThatExpiredNameFileAndDateButStillCount) {
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 5)),
              IsOkAndHolds("client.pem expired on 2026-01-02 (3 days ago)"));
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 3)),
              IsOkAndHolds("client.pem expired on 2026-01-02 (1 day ago)"));
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 2) + absl::Hours(5)),
              IsOkAndHolds("client.pem expired on 2026-01-02 (5 hours ago)"));
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 2) + absl::Seconds(90)),
              IsOkAndHolds("client.pem expired on 2026-01-02 (1 minute ago)"));
}

TEST_F(OwnCertificates, ThatAreNotYetValidSayFromWhen) {
  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2025, 12, 30)),
              IsOkAndHolds("client.pem is valid only from 2026-01-01 (in 2 days)"));
}

TEST_F(OwnCertificates, NameTheLinkWhoseDatesAreWrong) {
  const OwnCertificate mine = Mine(ClientUntil(Day(2070, 1, 1)));

  EXPECT_THAT(CheckOwnCertificate(mine, Day(2060, 1, 3)),
              IsOkAndHolds("client.pem (certificate 2) expired on 2060-01-01 (2 days ago)"));
}

TEST_F(OwnCertificates, WithAnotherKeyAreRefused) {
  mine_.key.pem = PrivateKey::Generate().ToPem();

  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 1)),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("client.key is not the key of client.pem")));
}

TEST_F(OwnCertificates, OfAnotherCaAreRefused) {
  mine_.ca.pem = SmallCa().root.ToPem();

  EXPECT_THAT(
      CheckOwnCertificate(mine_, Day(2026, 1, 1)),
      StatusIs(StatusCode::kFailedPrecondition,
               HasSubstr("client.pem does not lead to ca.pem: certificate is not trusted")));
}

TEST_F(OwnCertificates, ForAnotherUseAreRefused) {
  mine_.use = ChainPolicy::Use::kServer;

  EXPECT_THAT(CheckOwnCertificate(mine_, Day(2026, 1, 1)),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("purpose")));
}

TEST_F(OwnCertificates, ThatCanNotBeReadNameTheFile) {
  OwnCertificate no_certificate = mine_, no_key = mine_, no_ca = mine_;
  no_certificate.certificate.pem = "rubbish";
  no_key.key.pem = "rubbish";
  no_ca.ca.pem = "";

  const absl::Time now = Day(2026, 1, 1);
  EXPECT_THAT(CheckOwnCertificate(no_certificate, now),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("client.pem: ")));
  EXPECT_THAT(CheckOwnCertificate(no_key, now),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("client.key: ")));
  EXPECT_THAT(CheckOwnCertificate(no_ca, now),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("ca.pem: ")));
}

}  // namespace
}  // namespace fed
