// Log lines.
#include "common/base/log.h"

#include <gtest/gtest.h>

#include <vector>

namespace fed {
namespace {

class LogTest : public ::testing::Test {
 protected:
  std::vector<std::pair<LogLevel, std::string>> lines_;
  Log log_{[this](LogLevel level, absl::string_view line) {
             lines_.emplace_back(level, std::string(line));
           },
           LogLevel::kInfo};
};

TEST_F(LogTest, WritesOneLineOfKeysAndValues) {
  log_.Info("round.closed", {{"round", 7}, {"updates", 12}, {"loss", 0.5}, {"job", "demo"}});

  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].first, LogLevel::kInfo);
  EXPECT_EQ(lines_[0].second, "round.closed round=7 updates=12 loss=0.5 job=demo");
}

TEST_F(LogTest, QuotesValuesThatWouldReadAsSomethingElse) {
  log_.Warn("client.refused", {{"reason", "no \"job\" a=b\nround.closed round=1"}, {"label", ""}});

  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].second,
            "client.refused reason=\"no \\\"job\\\" a=b\\nround.closed round=1\" label=\"\"");
}

TEST_F(LogTest, DropsWhatIsBelowItsLevel) {
  log_.Debug("a");
  log_.Error("b");

  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_EQ(lines_[0].first, LogLevel::kError);
}

TEST_F(LogTest, HasANullThatDropsEverything) {
  Log::Null().Error("nobody.hears", {{"it", "anyway"}});
  EXPECT_TRUE(lines_.empty());
}

TEST_F(LogTest, ShortensClientIds) {
  EXPECT_EQ(ShortId("0123456789abcdef"), "01234567");
  EXPECT_EQ(ShortId("abc"), "abc");
}

}  // namespace
}  // namespace fed
