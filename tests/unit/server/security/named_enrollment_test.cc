// Tokens that make a device's name its id.
#include <string>

#include "common/crypto/csr.h"
#include "common/crypto/enroll_token.h"
#include "common/crypto/key.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/security/enrollment.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/test_pki.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::fed::testing::TestPki;
using ::testing::HasSubstr;

absl::Time Now() { return absl::FromCivil(absl::CivilDay(2026, 6, 1), absl::UTCTimeZone()); }

class NamedEnrollmentTest : public ::testing::Test {
 protected:
  StatusOr<Admission> Enroll(const std::string& name, const PrivateKey& key) {
    return enrollment_.Enroll({.token_secret = secret_, .csr = Csr::Make(key).der(), .name = name},
                              Now());
  }
  std::int64_t UsesLeft() {
    std::int64_t left = -1;
    EXPECT_TRUE(store_
                    .Read([&](const StoreView& view) -> Status {
                      FED_ASSIGN_OR_RETURN(const EnrollTokenRecord token,
                                           view.EnrollToken(EnrollTokenHash(secret_)));
                      left = token.uses_left;
                      return Status();
                    })
                    .ok());
    return left;
  }

  MemoryStore store_;
  Enrollment enrollment_{store_, TestPki::Shared().authority()};
  NewToken token_{.uses = 5, .ids_from_names = true};
  const std::string secret_ = EnrollToken::Parse(*enrollment_.CreateToken(token_, Now()))->secret;
  const PrivateKey key_ = PrivateKey::Generate();
};

TEST_F(NamedEnrollmentTest, MakesTheNameTheId) {
  EXPECT_EQ(Enroll("client-0007", key_)->caller.id.value, "client-0007");
}

TEST_F(NamedEnrollmentTest, AnswersTheSameKeyAndTokenAsTheFirstTime) {
  const std::string first = Enroll("client-0007", key_)->certificate;
  EXPECT_EQ(Enroll("client-0007", key_)->certificate, first);
  EXPECT_EQ(UsesLeft(), 4);
}

TEST_F(NamedEnrollmentTest, RefusesANameThatAnotherKeyHasWithoutAUse) {
  ASSERT_TRUE(Enroll("client-0007", key_).ok());

  const StatusOr<Admission> second = Enroll("client-0007", PrivateKey::Generate());

  EXPECT_THAT(second.status(),
              StatusIs(StatusCode::kAlreadyExists, HasSubstr("'client-0007' has enrolled before")));
  EXPECT_EQ(UsesLeft(), 4);
}

TEST_F(NamedEnrollmentTest, RefusesANameThatCanBeNoId) {
  for (const char* name : {"", "pump 7", "a/b", "ümlaut"}) {
    EXPECT_THAT(Enroll(name, key_).status(),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("becomes its id")))
        << name;
  }
  EXPECT_EQ(UsesLeft(), 5);
}

}  // namespace
}  // namespace fed::server
