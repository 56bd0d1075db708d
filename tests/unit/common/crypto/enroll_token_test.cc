// Enrollment tokens as text.
#include "common/crypto/enroll_token.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(EnrollTokens, ComeBackFromTheirText) {
  const EnrollToken made = EnrollToken::Make(Sha256("root"));

  ASSERT_OK_AND_ASSIGN(const EnrollToken read, EnrollToken::Parse(made.ToText()));

  EXPECT_EQ(made.ToText().size(), 129U);
  EXPECT_EQ(read.secret, made.secret);
  EXPECT_EQ(read.root_fingerprint, Sha256("root"));
}

TEST(EnrollTokens, AreNeverTheSameTwice) {
  EXPECT_NE(EnrollToken::Make(Digest()).secret, EnrollToken::Make(Digest()).secret);
}

TEST(EnrollTokens, AreKeptAsTheHashOfTheirSecret) {
  EXPECT_EQ(EnrollTokenHash("secret"), Sha256("secret").ToHex());
}

TEST(EnrollTokens, ThatAreCutOffAreRefusedWithoutBeingQuoted) {
  const std::string text = EnrollToken::Make(Sha256("root")).ToText();

  for (const std::string& broken :
       {std::string(), text.substr(0, 64), text.substr(1), text.substr(0, 128), text + "0",
        "x" + text.substr(1), text.substr(0, 65)}) {
    const auto read = EnrollToken::Parse(broken);
    EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument, HasSubstr("enrollment token")));
    EXPECT_THAT(read.status().message(), Not(HasSubstr(text.substr(1, 20))));
  }
}

}  // namespace
}  // namespace fed
