// Certificates: read, and followed to a root.
#include "common/crypto/certificate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/common/crypto/small_ca.h"

namespace fed {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::RunCommand;
using ::fed::testing::StatusIs;
using ::fed::testing::TempFolder;
using ::testing::HasSubstr;

using Use = ChainPolicy::Use;

// What is signed by itself, with these alternative names, by OpenSSL's own tool.
StatusOr<Certificate> MadeByOpenssl(const std::string& names) {
  const TempFolder folder;
  const std::string path = folder.File("cert.pem");
  const auto made =
      RunCommand({"openssl", "req", "-x509", "-newkey", "ed25519", "-nodes", "-keyout",
                  folder.File("key.pem"), "-subj", "/CN=x", "-addext", "subjectAltName=" + names,
                  "-days", "1", "-set_serial", "0x0abc", "-out", path});
  EXPECT_EQ(made.exit_code, 0) << made.output;
  FED_ASSIGN_OR_RETURN(const std::string pem, ReadFile(FileSystem::Real(), path, 1 << 16));
  return Certificate::FromPem(pem);
}

TEST(Certificates, TellWhatIsInThem) {
  const SmallCa ca;
  const PrivateKey key = PrivateKey::Generate();

  const Certificate made = ca.Issue(key, ClientUntil(Day(2026, 1, 2)));

  EXPECT_EQ(made.not_before(), Day(2026, 1, 1));
  EXPECT_EQ(made.not_after(), Day(2026, 1, 2));
  EXPECT_THAT(made.Uri(), IsOkAndHolds(kUri));
  EXPECT_EQ(made.public_key()->digest(), key.public_key().digest());
  EXPECT_EQ(made.serial().size(), 32U);
  EXPECT_TRUE(made.FitsKey(key));
  EXPECT_FALSE(made.FitsKey(PrivateKey::Generate()));
  EXPECT_FALSE(made.FitsKey(PrivateKey::Generate(KeyKind::kEd25519)));
}

TEST(Certificates, ComeBackFromDerAndPem) {
  const SmallCa ca;
  const Certificate made = ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2)));

  ASSERT_OK_AND_ASSIGN(const Certificate from_der, Certificate::FromDer(made.ToDer()));
  ASSERT_OK_AND_ASSIGN(const Certificate from_pem, Certificate::FromPem(made.ToPem()));

  EXPECT_EQ(from_der.fingerprint(), made.fingerprint());
  EXPECT_EQ(from_pem.fingerprint(), made.fingerprint());
  EXPECT_EQ(made.fingerprint(), Sha256(made.ToDer()));
}

TEST(Certificates, FarInTheFutureKeepTheirDates) {
  const SmallCa ca;

  EXPECT_EQ(ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2055, 5, 5))).not_after(),
            Day(2055, 5, 5));
}

TEST(Certificates, OfOpensslAreRead) {
  ASSERT_OK_AND_ASSIGN(const Certificate made, MadeByOpenssl("URI:spiffe://a/b/c,DNS:x"));

  EXPECT_THAT(made.Uri(), IsOkAndHolds("spiffe://a/b/c"));
  EXPECT_EQ(made.serial(), "0abc");
  EXPECT_EQ(made.not_after() - made.not_before(), absl::Hours(24));
  EXPECT_EQ(made.public_key()->kind(), KeyKind::kEd25519);
}

TEST(Certificates, HaveOneUriOrNoIdentity) {
  ASSERT_OK_AND_ASSIGN(const Certificate none, MadeByOpenssl("DNS:spiffe"));
  ASSERT_OK_AND_ASSIGN(const Certificate two,
                       MadeByOpenssl("URI:spiffe://a/b/c,URI:spiffe://a/b/d"));

  EXPECT_THAT(none.Uri(), StatusIs(StatusCode::kNotFound, HasSubstr("names no URI")));
  EXPECT_THAT(two.Uri(), StatusIs(StatusCode::kInvalidArgument, HasSubstr("names 2 URIs")));
}

TEST(Certificates, WithAZeroByteInTheirUriHaveNoIdentity) {
  const SmallCa ca;
  CertificateTemplate what = ClientUntil(Day(2026, 1, 2));
  what.uri = std::string("spiffe://fed.test/client/a\0b", 28);

  EXPECT_THAT(ca.Issue(PrivateKey::Generate(), what).Uri(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("zero byte")));
}

TEST(Certificates, AreRefusedWhenCutOffOrFollowedByMore) {
  const std::string der = SmallCa().root.ToDer();

  const auto refused = StatusIs(StatusCode::kInvalidArgument, HasSubstr("not one X.509"));
  EXPECT_THAT(Certificate::FromDer(der.substr(0, der.size() - 1)), refused);
  EXPECT_THAT(Certificate::FromDer(der + "x"), refused);
  EXPECT_THAT(Certificate::FromDer("rubbish"), refused);
  EXPECT_THAT(Certificate::FromDer(""), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Certificate::FromDer(std::string(kMaxCertificateBytes + 1, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("of 8193 bytes")));
}

TEST(PemText, HoldsSeveralCertificatesInOrder) {
  const SmallCa ca;

  ASSERT_OK_AND_ASSIGN(
      const auto all, CertificatesFromPem("words before\n" + ca.issuing.ToPem() + ca.root.ToPem()));

  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].fingerprint(), ca.issuing.fingerprint());
  EXPECT_EQ(all[1].fingerprint(), ca.root.fingerprint());
}

TEST(PemText, IsRefusedWhenOneOfItsCertificatesIsBroken) {
  const SmallCa ca;
  const std::string pem = ca.root.ToPem();

  EXPECT_THAT(CertificatesFromPem(pem + pem.substr(0, pem.size() / 2)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("PEM certificate 2")));
  EXPECT_THAT(CertificatesFromPem(""), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(CertificatesFromPem("rubbish"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("no start line")));
}

TEST(PemText, IsRefusedAboveItsNumberOfCertificates) {
  std::string pem;
  const std::string one = SmallCa().root.ToPem();
  for (std::size_t i = 0; i <= kMaxCertificates; ++i) pem += one;

  EXPECT_THAT(CertificatesFromPem(pem),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("more than 16 certificates")));
}

TEST(Chains, LeadToTheirRoot) {
  const SmallCa ca;
  const Certificate leaf = ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2)));

  EXPECT_OK(ca.Check(leaf, {.at = Day(2026, 1, 1) + absl::Hours(12), .use = Use::kClient}));
}

TEST(Chains, NeedWhatLiesBetween) {
  const SmallCa ca;
  const Certificate leaf = ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2)));

  EXPECT_THAT(CheckChain(leaf, {}, absl::MakeConstSpan(&ca.root, 1)),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("unable to get local issuer")));
}

TEST(Chains, OfAnotherCaWithTheSameNamesAreRefused) {
  const SmallCa ca, wrong;
  const Certificate leaf = wrong.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2)));

  EXPECT_THAT(ca.Check(leaf), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(
      CheckChain(leaf, absl::MakeConstSpan(&wrong.issuing, 1), absl::MakeConstSpan(&ca.root, 1)),
      StatusIs(StatusCode::kUnauthenticated));
}

TEST(Chains, LookAtDatesOnlyWhenTold) {
  const SmallCa ca;
  const Certificate leaf = ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2)));

  EXPECT_OK(ca.Check(leaf));
  EXPECT_THAT(ca.Check(leaf, {.at = Day(2026, 1, 3)}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("has expired")));
  EXPECT_THAT(ca.Check(leaf, {.at = Day(2025, 12, 31)}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("not yet valid")));
}

TEST(Chains, AreForOneUse) {
  const SmallCa ca;
  const Certificate client = ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2)));

  EXPECT_OK(ca.Check(client, {.at = std::nullopt, .use = Use::kClient}));
  EXPECT_THAT(ca.Check(client, {.at = std::nullopt, .use = Use::kServer}),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("purpose")));
}

TEST(Chains, DoNotPassThroughADevice) {
  const SmallCa ca;
  const PrivateKey device_key = PrivateKey::Generate();
  const Certificate device = ca.Issue(device_key, ClientUntil(Day(2026, 1, 2)));
  ASSERT_OK_AND_ASSIGN(const Certificate forged,
                       IssueCertificate(device, device_key, PrivateKey::Generate().public_key(),
                                        ClientUntil(Day(2026, 1, 2))));
  std::vector<Certificate> between;
  between.push_back(Certificate::FromDer(device.ToDer()).value());
  between.push_back(Certificate::FromDer(ca.issuing.ToDer()).value());

  EXPECT_THAT(CheckChain(forged, between, absl::MakeConstSpan(&ca.root, 1)),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("invalid CA certificate")));
}

TEST(Chains, WithAFlippedBitInTheSignatureAreRefused) {
  const SmallCa ca;
  std::string der = ca.Issue(PrivateKey::Generate(), ClientUntil(Day(2026, 1, 2))).ToDer();
  der.back() = static_cast<char>(der.back() ^ 1);
  ASSERT_OK_AND_ASSIGN(const Certificate tampered, Certificate::FromDer(der));

  EXPECT_THAT(ca.Check(tampered),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("signature failure")));
}

}  // namespace
}  // namespace fed
