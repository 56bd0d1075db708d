// Roles and their names.
#include "common/base/role.h"

#include <array>

#include "absl/strings/str_cat.h"

namespace fed {
namespace {

struct NamedRole {
  Role role;
  absl::string_view name;
};

constexpr std::array<NamedRole, 5> kRoles = {{
    {Role::kClient, "client"},
    {Role::kEvaluator, "evaluator"},
    {Role::kLeaf, "leaf"},
    {Role::kOperator, "operator"},
    {Role::kViewer, "viewer"},
}};

}  // namespace

absl::string_view RoleName(Role role) {
  for (const NamedRole& named : kRoles) {
    if (named.role == role) return named.name;
  }
  return "unknown";
}

StatusOr<Role> RoleFromName(absl::string_view name) {
  for (const NamedRole& named : kRoles) {
    if (named.name == name) return named.role;
  }
  return Status(
      StatusCode::kInvalidArgument,
      absl::StrCat("role \"", name, "\": expected client, evaluator, leaf, operator or viewer"));
}

}  // namespace fed
