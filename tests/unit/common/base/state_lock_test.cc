// One process a state folder.
#include "common/base/state_lock.h"

#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/temp_folder.h"

namespace fed {
namespace {

using ::testing::HasSubstr;

TEST(StateLockTest, RefusesASecondOneAndNamesTheFirst) {
  const testing::TempFolder folder;
  const auto first = StateLock::Take(folder.path());
  ASSERT_TRUE(first.ok());

  const auto second = StateLock::Take(folder.path());

  EXPECT_EQ(second.status().code(), StatusCode::kFailedPrecondition);
  EXPECT_THAT(second.status().message(), HasSubstr(absl::StrCat("process ", ::getpid())));
}

TEST(StateLockTest, IsFreeAgainOnceTheFirstIsGone) {
  const testing::TempFolder folder;
  { ASSERT_TRUE(StateLock::Take(folder.path()).ok()); }
  EXPECT_TRUE(StateLock::Take(folder.path()).ok());
}

TEST(StateLockTest, MakesTheFolder) {
  const testing::TempFolder folder;
  const std::string inner = JoinPath(folder.path(), "a/b");
  ASSERT_TRUE(StateLock::Take(inner).ok());
  EXPECT_TRUE(FileSystem::Real().Exists(inner).value());
}

TEST(StateLockTest, SaysWhyAFolderCanNotBeHad) {
  const auto lock = StateLock::Take("/proc/no-such-folder");
  EXPECT_FALSE(lock.ok());
  EXPECT_THAT(lock.status().message(), HasSubstr("/proc/no-such-folder"));
}

}  // namespace
}  // namespace fed
