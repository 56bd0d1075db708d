// Signing requests: what is believed of them is their signature alone.
#include "common/crypto/csr.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/file.h"
#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed {
namespace {

using ::fed::testing::RunCommand;
using ::fed::testing::StatusIs;
using ::fed::testing::TempFolder;
using ::testing::HasSubstr;

TEST(Csr, CarriesTheKeyThatSignedIt) {
  for (const KeyKind kind : {KeyKind::kP256, KeyKind::kEd25519}) {
    const PrivateKey key = PrivateKey::Generate(kind);

    ASSERT_OK_AND_ASSIGN(const Csr read, Csr::FromDer(Csr::Make(key).der()));

    EXPECT_EQ(read.public_key().digest(), key.public_key().digest());
    EXPECT_EQ(read.public_key().kind(), kind);
  }
}

TEST(Csr, IsVerifiedByOpenssl) {
  const TempFolder folder;
  const std::string path = folder.File("csr.der");
  ASSERT_OK(WriteFileDurably(FileSystem::Real(), path, Csr::Make(PrivateKey::Generate()).der()));

  const auto verified =
      RunCommand({"openssl", "req", "-verify", "-noout", "-text", "-inform", "DER", "-in", path});

  EXPECT_EQ(verified.exit_code, 0) << verified.output;
  EXPECT_THAT(verified.output, HasSubstr("verify OK"));
  EXPECT_THAT(verified.output, HasSubstr("prime256v1"));
}

TEST(Csr, OfOpensslIsRead) {
  const TempFolder folder;
  const std::string path = folder.File("csr.der");
  const auto made =
      RunCommand({"openssl", "req", "-new", "-newkey", "ed25519", "-nodes", "-keyout",
                  folder.File("key.pem"), "-subj", "/CN=mallory", "-outform", "DER", "-out", path});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  ASSERT_OK_AND_ASSIGN(const std::string der, ReadFile(FileSystem::Real(), path, 1 << 16));
  ASSERT_OK_AND_ASSIGN(const std::string pem,
                       ReadFile(FileSystem::Real(), folder.File("key.pem"), 1 << 16));

  ASSERT_OK_AND_ASSIGN(const Csr csr, Csr::FromDer(der));

  EXPECT_EQ(csr.public_key().digest(), PrivateKey::FromPem(pem)->public_key().digest());
}

TEST(Csr, IsRefusedWhereverOneBitWasFlipped) {
  const Csr csr = Csr::Make(PrivateKey::Generate());

  for (std::size_t i = 0; i < csr.der().size(); ++i) {
    std::string tampered = csr.der();
    tampered[i] = static_cast<char>(tampered[i] ^ 1);

    const StatusOr<Csr> read = Csr::FromDer(tampered);

    EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument)) << "byte " << i;
  }
}

TEST(Csr, SignedByAnotherKeySaysSo) {
  std::string tampered = Csr::Make(PrivateKey::Generate(KeyKind::kEd25519)).der();
  tampered.back() = static_cast<char>(tampered.back() ^ 1);  // in the signature

  EXPECT_THAT(Csr::FromDer(tampered),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not signed by the key in it")));
}

TEST(Csr, IsRefusedWhenCutOffOrFollowedByMore) {
  const std::string der = Csr::Make(PrivateKey::Generate()).der();

  const auto refused = StatusIs(StatusCode::kInvalidArgument, HasSubstr("not one PKCS#10"));
  for (std::size_t size = 1; size < der.size(); ++size) {
    EXPECT_THAT(Csr::FromDer(der.substr(0, size)), refused);
  }
  EXPECT_THAT(Csr::FromDer(der + "x"), refused);
}

TEST(Csr, IsRefusedAboveItsLimit) {
  EXPECT_THAT(Csr::FromDer(std::string(kMaxCsrBytes + 1, 'x')),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("signing request of 8193 bytes: expected 1 to 8192")));
  EXPECT_THAT(Csr::FromDer(""), StatusIs(StatusCode::kInvalidArgument, HasSubstr("of 0 bytes")));
}

TEST(Csr, ForAnotherKindOfKeyIsRefused) {
  const TempFolder folder;
  const std::string path = folder.File("csr.der");
  const auto made =
      RunCommand({"openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout",
                  folder.File("key.pem"), "-subj", "/CN=x", "-outform", "DER", "-out", path});
  ASSERT_EQ(made.exit_code, 0) << made.output;
  ASSERT_OK_AND_ASSIGN(const std::string der, ReadFile(FileSystem::Real(), path, 1 << 16));

  EXPECT_THAT(Csr::FromDer(der),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("neither P-256 nor Ed25519")));
}

}  // namespace
}  // namespace fed
