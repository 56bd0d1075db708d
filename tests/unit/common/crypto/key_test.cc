// Keys: made, written, read, signing.
#include "common/crypto/key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed {
namespace {

using ::fed::testing::RunCommand;
using ::fed::testing::StatusIs;
using ::fed::testing::TempFolder;
using ::testing::HasSubstr;

std::string KeyMadeByOpenssl(const std::vector<std::string>& options) {
  const TempFolder folder;
  const std::string path = folder.File("key.pem");
  std::vector<std::string> command = {"openssl", "genpkey", "-out", path};
  command.insert(command.end(), options.begin(), options.end());
  const auto made = RunCommand(command);
  EXPECT_EQ(made.exit_code, 0) << made.output;
  return ReadFile(FileSystem::Real(), path, 1 << 20).value();
}

class EveryKindOfKey : public ::testing::TestWithParam<KeyKind> {};

TEST_P(EveryKindOfKey, VerifiesWhatItSigned) {
  const PrivateKey key = PrivateKey::Generate(GetParam());

  const std::string signature = key.Sign("the bytes");

  EXPECT_EQ(key.kind(), GetParam());
  EXPECT_OK(key.public_key().Verify("the bytes", signature));
}

TEST_P(EveryKindOfKey, RefusesOtherBytesOtherKeysAndNoSignature) {
  const PrivateKey key = PrivateKey::Generate(GetParam());
  const PrivateKey other = PrivateKey::Generate(GetParam());
  const std::string signature = key.Sign("the bytes");
  std::string flipped = signature;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);

  const auto refused = StatusIs(StatusCode::kUnauthenticated, HasSubstr("not this key's"));
  EXPECT_THAT(key.public_key().Verify("other bytes", signature), refused);
  EXPECT_THAT(other.public_key().Verify("the bytes", signature), refused);
  EXPECT_THAT(key.public_key().Verify("the bytes", flipped), refused);
  EXPECT_THAT(key.public_key().Verify("the bytes", ""), refused);
}

TEST_P(EveryKindOfKey, ComesBackFromPem) {
  const PrivateKey key = PrivateKey::Generate(GetParam());

  ASSERT_OK_AND_ASSIGN(const PrivateKey back, PrivateKey::FromPem(key.ToPem()));

  EXPECT_THAT(key.ToPem(), HasSubstr("BEGIN PRIVATE KEY"));
  EXPECT_EQ(back.public_key().digest(), key.public_key().digest());
  EXPECT_OK(key.public_key().Verify("x", back.Sign("x")));
}

INSTANTIATE_TEST_SUITE_P(Keys, EveryKindOfKey,
                         ::testing::Values(KeyKind::kP256, KeyKind::kEd25519));

TEST(Keys, AreNeverTheSameTwice) {
  EXPECT_NE(PrivateKey::Generate().public_key().digest(),
            PrivateKey::Generate().public_key().digest());
}

TEST(Keys, AreReadAsOpensslWritesThem) {
  ASSERT_OK_AND_ASSIGN(const PrivateKey p256,
                       PrivateKey::FromPem(KeyMadeByOpenssl(
                           {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"})));
  ASSERT_OK_AND_ASSIGN(const PrivateKey ed25519,
                       PrivateKey::FromPem(KeyMadeByOpenssl({"-algorithm", "ED25519"})));

  EXPECT_EQ(p256.kind(), KeyKind::kP256);
  EXPECT_EQ(ed25519.kind(), KeyKind::kEd25519);
}

TEST(Keys, OfOtherKindsAreRefused) {
  const auto refused =
      StatusIs(StatusCode::kInvalidArgument, HasSubstr("neither P-256 nor Ed25519"));
  EXPECT_THAT(PrivateKey::FromPem(
                  KeyMadeByOpenssl({"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"})),
              refused);
  EXPECT_THAT(PrivateKey::FromPem(KeyMadeByOpenssl({"-algorithm", "RSA"})), refused);
}

TEST(Keys, ThatAreEncryptedAreRefusedWithoutAskingForAPassphrase) {
  const std::string encrypted =
      KeyMadeByOpenssl({"-algorithm", "ED25519", "-aes-256-cbc", "-pass", "pass:secret"});

  EXPECT_THAT(PrivateKey::FromPem(encrypted),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not unencrypted PEM")));
}

TEST(Keys, ThatAreNoPemAreRefused) {
  EXPECT_THAT(PrivateKey::FromPem("rubbish"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not unencrypted PEM")));
  EXPECT_THAT(PrivateKey::FromPem(""), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace fed
