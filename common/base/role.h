// Who someone is: stands in the certificate and nowhere else.
#ifndef FED_COMMON_BASE_ROLE_H_
#define FED_COMMON_BASE_ROLE_H_

#include "absl/strings/string_view.h"
#include "fed/status.h"

namespace fed {

enum class Role {
  kClient,     // trains
  kEvaluator,  // evaluates versions; may submit no update
  kLeaf,       // a server that takes part upstream
  kOperator,   // runs the service
  kViewer,     // looks at it
};

absl::string_view RoleName(Role role);                // "client"
StatusOr<Role> RoleFromName(absl::string_view name);  // kInvalidArgument lists the names

}  // namespace fed

#endif  // FED_COMMON_BASE_ROLE_H_
