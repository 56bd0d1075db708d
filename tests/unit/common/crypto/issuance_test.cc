// What we issue, as OpenSSL's own tool reads it.
#include "common/crypto/issuance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/file.h"
#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/common/crypto/small_ca.h"

namespace fed {
namespace {

using ::fed::testing::RunCommand;
using ::fed::testing::StatusIs;
using ::fed::testing::TempFolder;
using ::testing::HasSubstr;

class IssuedCertificates : public ::testing::Test {
 protected:
  std::string Write(const std::string& name, const std::string& contents) {
    const std::string path = folder_.File(name);
    EXPECT_OK(WriteFileDurably(FileSystem::Real(), path, contents));
    return path;
  }

  std::string TextOf(const Certificate& certificate) {
    const auto text = RunCommand(
        {"openssl", "x509", "-noout", "-text", "-in", Write("read.pem", certificate.ToPem())});
    EXPECT_EQ(text.exit_code, 0) << text.output;
    return text.output;
  }

  testing::CommandResult Verify(const Certificate& leaf, const std::string& purpose) {
    return RunCommand({"openssl", "verify", "-x509_strict", "-attime", "1767268800", "-purpose",
                       purpose, "-CAfile", Write("root.pem", ca_.root.ToPem()), "-untrusted",
                       Write("issuing.pem", ca_.issuing.ToPem()), Write("leaf.pem", leaf.ToPem())});
  }

  TempFolder folder_;
  SmallCa ca_;
};

TEST_F(IssuedCertificates, AreVerifiedStrictlyByOpenssl) {
  CertificateTemplate server = ClientUntil(Day(2027, 1, 1));
  server.client_auth = false;
  server.server_auth = true;

  const auto client =
      Verify(ca_.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2))), "sslclient");
  const auto served = Verify(ca_.Issue(PrivateKey::Generate(), server), "sslserver");
  const auto misused = Verify(ca_.Issue(PrivateKey::Generate(), server), "sslclient");

  EXPECT_EQ(client.exit_code, 0) << client.output;
  EXPECT_EQ(served.exit_code, 0) << served.output;
  EXPECT_NE(misused.exit_code, 0) << misused.output;
}

TEST_F(IssuedCertificates, OfEd25519AreVerifiedStrictlyByOpenssl) {
  const auto verified =
      Verify(ca_.Issue(PrivateKey::Generate(KeyKind::kEd25519), ClientUntil(Day(2026, 1, 2))),
             "sslclient");

  EXPECT_EQ(verified.exit_code, 0) << verified.output;
}

TEST_F(IssuedCertificates, SayWhatTheTemplateSaid) {
  CertificateTemplate what = ClientUntil(Day(2026, 1, 2));
  what.dns_names = {"fed.example.org", "localhost"};
  what.ip_addresses = {"127.0.0.1", "::1"};

  const std::string text = TextOf(ca_.Issue(PrivateKey::Generate(), what));

  EXPECT_THAT(text, HasSubstr("URI:spiffe://fed.test/client/a1"));
  EXPECT_THAT(text, HasSubstr("DNS:fed.example.org, DNS:localhost"));
  EXPECT_THAT(text, HasSubstr("IP Address:127.0.0.1"));
  EXPECT_THAT(text, HasSubstr("IP Address:0:0:0:0:0:0:0:1"));
  EXPECT_THAT(text, HasSubstr("Not Before: Jan  1 00:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("Not After : Jan  2 00:00:00 2026 GMT"));
  EXPECT_THAT(text, HasSubstr("TLS Web Client Authentication"));
  EXPECT_THAT(text, HasSubstr("CA:FALSE"));
  EXPECT_THAT(text, HasSubstr("Issuer: CN = issuing"));
  EXPECT_THAT(text, HasSubstr("ecdsa-with-SHA256"));
}

TEST_F(IssuedCertificates, OfCasSayHowDeepTheyGo) {
  EXPECT_THAT(TextOf(ca_.root), HasSubstr("CA:TRUE, pathlen:1"));
  EXPECT_THAT(TextOf(ca_.issuing), HasSubstr("CA:TRUE, pathlen:0"));
  EXPECT_THAT(TextOf(ca_.issuing), HasSubstr("Certificate Sign, CRL Sign"));
}

TEST_F(IssuedCertificates, TakeNamesAsValuesNotAsConfiguration) {
  CertificateTemplate what = ClientUntil(Day(2026, 1, 2));
  what.uri = "spiffe://fed.test/client/a1,DNS:admin";

  const Certificate made = ca_.Issue(PrivateKey::Generate(), what);

  EXPECT_THAT(made.Uri(), testing::IsOkAndHolds("spiffe://fed.test/client/a1,DNS:admin"));
}

TEST_F(IssuedCertificates, HaveSerialNumbersOfTheirOwn) {
  const PrivateKey key = PrivateKey::Generate();

  EXPECT_NE(ca_.Issue(key, ClientUntil(Day(2026, 1, 2))).serial(),
            ca_.Issue(key, ClientUntil(Day(2026, 1, 2))).serial());
}

TEST_F(IssuedCertificates, AreNotMadeOfBadNamesOrDates) {
  const auto issue = [&](const CertificateTemplate& what) {
    return IssueCertificate(ca_.issuing, ca_.issuing_key, PrivateKey::Generate().public_key(),
                            what);
  };
  CertificateTemplate no_name = ClientUntil(Day(2026, 1, 2));
  no_name.common_name = "";
  CertificateTemplate long_name = no_name;
  long_name.common_name = std::string(65, 'x');
  CertificateTemplate bad_ip = ClientUntil(Day(2026, 1, 2));
  bad_ip.ip_addresses = {"300.1.1.1"};

  EXPECT_THAT(issue(no_name), StatusIs(StatusCode::kInvalidArgument, HasSubstr("common name")));
  EXPECT_THAT(issue(long_name), StatusIs(StatusCode::kInvalidArgument, HasSubstr("too long")));
  EXPECT_THAT(issue(bad_ip), StatusIs(StatusCode::kInvalidArgument, HasSubstr("300.1.1.1")));
  EXPECT_THAT(issue(ClientUntil(Day(2026, 1, 1))),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("before it begins")));
}

TEST_F(IssuedCertificates, NeedTheIssuersOwnKey) {
  EXPECT_THAT(IssueCertificate(ca_.issuing, ca_.root_key, ca_.root_key.public_key(),
                               ClientUntil(Day(2026, 1, 2))),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("does not fit")));
}

}  // namespace
}  // namespace fed
