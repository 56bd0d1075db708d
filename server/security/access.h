// Who may call what: one table, and the default is no.
#ifndef FED_SERVER_SECURITY_ACCESS_H_
#define FED_SERVER_SECURITY_ACCESS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/base/role.h"
#include "fed/status.h"

namespace fed::server {

// The three gRPC servers: DESIGN "Who is who".
enum class Listener { kMain, kEnrollment, kAdmin };

// From the certificate, and from nowhere else.
struct Caller {
  ClientId id;
  Role role = Role::kClient;
};

// "spiffe://<trust domain>/<role>/<id>" and nothing more. kUnauthenticated says what is wrong.
StatusOr<Caller> ParseIdentity(absl::string_view uri, absl::string_view trust_domain);
std::string IdentityUri(const Caller& caller, absl::string_view trust_domain);

struct AccessRule {
  Listener listener;
  absl::string_view method;  // "/fed.v1.Participate/CheckIn"
  std::vector<Role> roles;   // empty: no identity is needed (enrollment, health)
};
absl::Span<const AccessRule> AccessRules();

// OK, or kPermissionDenied naming method and role; kUnauthenticated without a caller where one is
// needed; kUnimplemented for a method that has no rule.
Status MayCall(Listener listener, absl::string_view method, const Caller* caller);

}  // namespace fed::server

#endif  // FED_SERVER_SECURITY_ACCESS_H_
