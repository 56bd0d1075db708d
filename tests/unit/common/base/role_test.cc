// Roles and their names.
#include "common/base/role.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;

TEST(Roles, ComeBackFromTheirNames) {
  for (const Role role :
       {Role::kClient, Role::kEvaluator, Role::kLeaf, Role::kOperator, Role::kViewer}) {
    EXPECT_THAT(RoleFromName(RoleName(role)), IsOkAndHolds(role));
  }
  EXPECT_EQ(RoleName(Role::kClient), "client");
}

TEST(Roles, ListTheirNamesToWhoeverKnowsThemNot) {
  for (const char* name : {"", "Client", "admin", "client "}) {
    EXPECT_THAT(
        RoleFromName(name),
        StatusIs(StatusCode::kInvalidArgument,
                 ::testing::HasSubstr("expected client, evaluator, leaf, operator or viewer")));
  }
}

}  // namespace
}  // namespace fed
