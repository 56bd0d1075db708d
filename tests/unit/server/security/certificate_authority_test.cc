// The CA folder: made once, read back, and issuing for devices.
#include "server/security/certificate_authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {
namespace {

using ::fed::testing::FakeFiles;
using ::fed::testing::IsOkAndHolds;
using ::fed::testing::RunCommand;
using ::fed::testing::StatusIs;
using ::fed::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time Now() { return absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone()); }

NewAuthority Description() {
  NewAuthority what;
  what.trust_domain = "fed.test";
  what.server_names = {"fed.example.org", "127.0.0.1", "::1"};
  what.now = Now();
  return what;
}

TEST(InitAuthority, WritesAllItsFilesForTheirOwnerOnly) {
  const TempFolder temp;
  const std::string folder = temp.File("ca");

  ASSERT_OK(InitAuthority(FileSystem::Real(), folder, Description()));

  EXPECT_THAT(FileSystem::Real().List(folder),
              IsOkAndHolds(ElementsAre("issuing.key", "issuing.pem", "operator.key", "operator.pem",
                                       "root.key", "root.pem", "server.key", "server.pem")));
  for (const char* key : {kRootKeyFile, kIssuingKeyFile, kServerKeyFile, kOperatorKeyFile}) {
    struct stat status {};
    ASSERT_EQ(stat(JoinPath(folder, key).c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600U) << key;
  }
}

TEST(InitAuthority, MakesChainsThatOpensslVerifies) {
  const TempFolder temp;
  ASSERT_OK(InitAuthority(FileSystem::Real(), temp.path(), Description()));
  const std::string at = absl::StrCat(absl::ToUnixSeconds(Now()));
  const auto verify = [&](const char* purpose, const char* file, const char* name) {
    return RunCommand({"openssl", "verify", "-x509_strict", "-attime", at, "-purpose", purpose,
                       "-verify_hostname", name, "-CAfile", temp.File(kRootFile), "-untrusted",
                       temp.File(file), temp.File(file)});
  };

  const auto server = verify("sslserver", kServerFile, "fed.example.org");
  const auto other_name = verify("sslserver", kServerFile, "other.example.org");
  const auto first_operator = RunCommand(
      {"openssl", "verify", "-x509_strict", "-attime", at, "-purpose", "sslclient", "-CAfile",
       temp.File(kRootFile), "-untrusted", temp.File(kOperatorFile), temp.File(kOperatorFile)});
  const auto text =
      RunCommand({"openssl", "x509", "-noout", "-text", "-in", temp.File(kOperatorFile)});

  EXPECT_EQ(server.exit_code, 0) << server.output;
  EXPECT_NE(other_name.exit_code, 0) << other_name.output;
  EXPECT_EQ(first_operator.exit_code, 0) << first_operator.output;
  EXPECT_THAT(text.output, HasSubstr("URI:spiffe://fed.test/operator/"));
}

TEST(InitAuthority, PutsTheRootAtTheEndOfTheServersChain) {
  FakeFiles files;
  ASSERT_OK(InitAuthority(files, "/ca", Description()));

  ASSERT_OK_AND_ASSIGN(const std::string pem, ReadFile(files, "/ca/server.pem", 1 << 20));
  ASSERT_OK_AND_ASSIGN(const std::string root, ReadFile(files, "/ca/root.pem", 1 << 20));
  ASSERT_OK_AND_ASSIGN(const auto chain, CertificatesFromPem(pem));

  ASSERT_EQ(chain.size(), 3U);
  EXPECT_EQ(chain[2].fingerprint(), Certificate::FromPem(root)->fingerprint());
}

TEST(InitAuthority, NeverOverwrites) {
  for (const char* there : {kRootKeyFile, kServerFile, kOperatorFile}) {
    FakeFiles files;
    const std::string path = JoinPath("/ca", there);
    ASSERT_OK(files.MakeFolder("/ca"));
    ASSERT_OK(WriteFileDurably(files, path, "precious"));

    EXPECT_THAT(InitAuthority(files, "/ca", Description()),
                StatusIs(StatusCode::kAlreadyExists, HasSubstr(path)));

    EXPECT_THAT(ReadFile(files, path, 100), IsOkAndHolds("precious"));
    EXPECT_THAT(files.List("/ca"), IsOkAndHolds(ElementsAre(there)));
  }
}

TEST(InitAuthority, SurvivesAPowerCutOnceItHasReturned) {
  FakeFiles files;
  ASSERT_OK(InitAuthority(files, "/ca", Description()));

  files.Crash();

  EXPECT_OK(CertificateAuthority::Load(files, "/ca"));
}

TEST(InitAuthority, PassesADisksErrorOn) {
  FakeFiles files;
  files.FailAt(5, StatusCode::kResourceExhausted);

  EXPECT_THAT(InitAuthority(files, "/ca", Description()), StatusIs(StatusCode::kResourceExhausted));
}

TEST(InitAuthority, RefusesBadNamesBeforeItWrites) {
  FakeFiles files;
  NewAuthority bad_domain = Description(), no_names = Description(), bad_name = Description(),
               bad_address = Description();
  bad_domain.trust_domain = "Fed/test";
  no_names.server_names.clear();
  bad_name.server_names = {"fed example"};
  bad_address.server_names = {"127.0.0.300"};

  EXPECT_THAT(InitAuthority(files, "/ca", bad_domain),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("trust domain \"Fed/test\"")));
  EXPECT_THAT(InitAuthority(files, "/ca", no_names),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("no server name")));
  EXPECT_THAT(InitAuthority(files, "/ca", bad_name),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("server name \"fed example\"")));
  EXPECT_THAT(InitAuthority(files, "/ca", bad_address),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("127.0.0.300")));
  EXPECT_EQ(files.writing_calls(), 0);
}

class CertificateAuthorityTest : public ::testing::Test {
 protected:
  CertificateAuthorityTest() {
    EXPECT_OK(InitAuthority(files_, "/ca", Description()));
    ca_ = CertificateAuthority::Load(files_, "/ca").value();
  }

  FakeFiles files_;
  std::unique_ptr<CertificateAuthority> ca_;
  const PrivateKey key_ = PrivateKey::Generate();
  const Csr csr_ = Csr::Make(key_);
  const Caller caller_{{"a1"}, Role::kEvaluator};
};

TEST_F(CertificateAuthorityTest, NeedsNeitherTheRootsKeyNorTheServersFiles) {
  for (const char* name :
       {kRootKeyFile, kServerKeyFile, kServerFile, kOperatorKeyFile, kOperatorFile}) {
    ASSERT_OK(files_.Remove(JoinPath("/ca", name)));
  }

  ASSERT_OK_AND_ASSIGN(const auto again, CertificateAuthority::Load(files_, "/ca"));

  EXPECT_EQ(again->trust_domain(), "fed.test");
}

TEST_F(CertificateAuthorityTest, IssuesForItsKeyIdentityAndOneDay) {
  ASSERT_OK_AND_ASSIGN(const Certificate made, ca_->IssueFor(caller_, csr_, Now()));

  EXPECT_THAT(made.Uri(), IsOkAndHolds("spiffe://fed.test/evaluator/a1"));
  EXPECT_TRUE(made.FitsKey(key_));
  EXPECT_EQ(made.not_before(), Now() - absl::Minutes(5));
  EXPECT_EQ(made.not_after(), Now() + kDay);
  EXPECT_OK(ca_->CheckIssued(made));
}

TEST_F(CertificateAuthorityTest, GivesAChainThatEndsAtTheRoot) {
  const std::vector<std::string> chain = ca_->ChainDer();

  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(Sha256(chain[1]), ca_->root().fingerprint());
  EXPECT_OK(CheckChain(*Certificate::FromDer(chain[0]), {}, absl::MakeConstSpan(&ca_->root(), 1)));
}

TEST_F(CertificateAuthorityTest, IssuesForAsLongAsItIsTold) {
  ASSERT_OK_AND_ASSIGN(
      const auto ca, CertificateAuthority::Load(
                         files_, "/ca", {.life = absl::Hours(1), .backdating = absl::Minutes(1)}));

  ASSERT_OK_AND_ASSIGN(const Certificate made, ca->IssueFor(caller_, csr_, Now()));

  EXPECT_EQ(made.not_before(), Now() - absl::Minutes(1));
  EXPECT_EQ(made.not_after(), Now() + absl::Hours(1));
}

TEST_F(CertificateAuthorityTest, IssuesNothingThatOutlivesIt) {
  const absl::Time end = Now() + 1825 * kDay;

  ASSERT_OK_AND_ASSIGN(const Certificate last, ca_->IssueFor(caller_, csr_, end - absl::Hours(2)));

  EXPECT_EQ(last.not_after(), end);
  EXPECT_THAT(ca_->IssueFor(caller_, csr_, end),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("expired on 2031-05-31")));
}

TEST_F(CertificateAuthorityTest, DoesNotTakeAnothersCertificateForItsOwn) {
  FakeFiles other_files;
  ASSERT_OK(InitAuthority(other_files, "/ca", Description()));
  ASSERT_OK_AND_ASSIGN(const auto other, CertificateAuthority::Load(other_files, "/ca"));
  ASSERT_OK_AND_ASSIGN(const Certificate foreign, other->IssueFor(caller_, csr_, Now()));

  EXPECT_THAT(ca_->CheckIssued(foreign), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(CertificateAuthorityTest, DoesNotTakeTheServersCertificateForADevices) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, ReadFile(files_, "/ca/server.pem", 1 << 20));

  EXPECT_THAT(ca_->CheckIssued(*Certificate::FromPem(pem)),
              StatusIs(StatusCode::kUnauthenticated, HasSubstr("purpose")));
}

TEST_F(CertificateAuthorityTest, IsNotLoadedFromFilesThatDoNotBelongTogether) {
  const std::string foreign_key = PrivateKey::Generate().ToPem();
  FakeFiles other_files;
  ASSERT_OK(InitAuthority(other_files, "/ca", Description()));
  ASSERT_OK_AND_ASSIGN(const std::string other_root,
                       ReadFile(other_files, "/ca/root.pem", 1 << 20));
  ASSERT_OK_AND_ASSIGN(const std::string key, ReadFile(files_, "/ca/issuing.key", 1 << 20));

  ASSERT_OK(WriteFileDurably(files_, "/ca/issuing.key", foreign_key));
  EXPECT_THAT(CertificateAuthority::Load(files_, "/ca"),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("/ca/issuing.key is not the key of /ca/issuing.pem")));
  ASSERT_OK(WriteFileDurably(files_, "/ca/issuing.key", key));
  ASSERT_OK(WriteFileDurably(files_, "/ca/root.pem", other_root));
  EXPECT_THAT(
      CertificateAuthority::Load(files_, "/ca"),
      StatusIs(StatusCode::kFailedPrecondition, HasSubstr("does not lead to /ca/root.pem")));
}

TEST_F(CertificateAuthorityTest, SaysWhatToDoWhenThereIsNone) {
  EXPECT_THAT(CertificateAuthority::Load(files_, "/nowhere"),
              StatusIs(StatusCode::kNotFound,
                       HasSubstr("/nowhere/root.pem is missing; fedctl ca init makes one")));
}

TEST_F(CertificateAuthorityTest, NamesTheFileThatCanNotBeRead) {
  ASSERT_OK(WriteFileDurably(files_, "/ca/issuing.pem", "rubbish"));

  EXPECT_THAT(CertificateAuthority::Load(files_, "/ca"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("/ca/issuing.pem: ")));
}

TEST(ClientIds, AreSixteenRandomBytesInHex) {
  const ClientId id = NewClientId();

  EXPECT_EQ(id.value.size(), 32U);
  EXPECT_EQ(id.value.find_first_not_of("0123456789abcdef"), std::string::npos);
  EXPECT_NE(id, NewClientId());
}

}  // namespace
}  // namespace fed::server
