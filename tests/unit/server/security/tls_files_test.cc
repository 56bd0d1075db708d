// The server's files: refused at the start instead of by every device.
#include "server/security/tls_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "server/security/certificate_authority.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::FakeFiles;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;

constexpr absl::Duration kDay = absl::Hours(24);

absl::Time Now() { return absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone()); }

class TlsFilesTest : public ::testing::Test {
 protected:
  TlsFilesTest() {
    EXPECT_OK(InitAuthority(files_, "/ca", Description()));
    EXPECT_OK(InitAuthority(files_, "/other", Description()));
  }

  static NewAuthority Description() {
    NewAuthority what;
    what.trust_domain = "fed.test";
    what.server_names = {"localhost"};
    what.now = Now();
    return what;
  }

  FakeFiles files_;
  TlsPaths paths_{"/ca/server.pem", "/ca/server.key", "/ca/root.pem"};
};

TEST_F(TlsFilesTest, AreReadWholeWhenTheyFit) {
  ASSERT_OK_AND_ASSIGN(const TlsFiles read, LoadTlsFiles(files_, paths_, Now()));

  EXPECT_EQ(read.certificate_pem, ReadFile(files_, "/ca/server.pem", 1 << 20).value());
  EXPECT_EQ(read.key_pem, ReadFile(files_, "/ca/server.key", 1 << 20).value());
  EXPECT_EQ(read.ca_pem, ReadFile(files_, "/ca/root.pem", 1 << 20).value());
  EXPECT_EQ(read.not_after, Now() + 365 * kDay);
}

TEST_F(TlsFilesTest, AreRefusedWithDateWhenExpiredOrNotYetValid) {
  EXPECT_THAT(LoadTlsFiles(files_, paths_, Now() + 367 * kDay),
              StatusIs(StatusCode::kFailedPrecondition,
                       "/ca/server.pem expired on 2027-06-01 (2 days ago)"));
  EXPECT_THAT(LoadTlsFiles(files_, paths_, Now() - kDay),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("/ca/server.pem is valid only from 2026-05-31")));
}

TEST_F(TlsFilesTest, AreRefusedWithAnothersKey) {
  paths_.key = "/ca/operator.key";

  EXPECT_THAT(LoadTlsFiles(files_, paths_, Now()),
              StatusIs(StatusCode::kFailedPrecondition,
                       "/ca/operator.key is not the key of /ca/server.pem"));
}

TEST_F(TlsFilesTest, AreRefusedUnderAnotherCa) {
  paths_.ca = "/other/root.pem";

  EXPECT_THAT(LoadTlsFiles(files_, paths_, Now()),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr("/ca/server.pem does not lead to /other/root.pem")));
}

TEST_F(TlsFilesTest, AreRefusedWhenTheyAreNotAServers) {
  paths_.certificate = "/ca/operator.pem";
  paths_.key = "/ca/operator.key";

  EXPECT_THAT(LoadTlsFiles(files_, paths_, Now()),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("purpose")));
}

TEST_F(TlsFilesTest, AreNamedWhenMissing) {
  paths_.ca = "/ca/none.pem";

  EXPECT_THAT(LoadTlsFiles(files_, paths_, Now()),
              StatusIs(StatusCode::kNotFound, HasSubstr("/ca/none.pem")));
}

}  // namespace
}  // namespace fed::server
