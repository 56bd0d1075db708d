// Identities, and the table of who may call what.
#include "server/security/access.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace fed::server {
namespace {

constexpr absl::string_view kScheme = "spiffe://";
constexpr std::size_t kMaxIdBytes = 64;

// SPIFFE's characters of a path segment.
bool IsId(absl::string_view id) {
  constexpr absl::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  return !id.empty() && id.size() <= kMaxIdBytes && id != "." && id != ".." &&
         id.find_first_not_of(kAllowed) == absl::string_view::npos;
}

absl::string_view ListenerName(Listener listener) {
  switch (listener) {
    case Listener::kMain:
      return "main";
    case Listener::kEnrollment:
      return "enrollment";
    case Listener::kAdmin:
      return "admin";
  }
  return "unknown";
}

Status NoIdentity(absl::string_view uri, absl::string_view why) {
  return Status(StatusCode::kUnauthenticated,
                absl::StrCat("identity \"", uri.substr(0, 200), "\": ", why));
}

std::vector<AccessRule> MakeRules() {
  const std::vector<Role> nobody_in_particular;
  const std::vector<Role> everyone = {Role::kClient, Role::kEvaluator, Role::kLeaf, Role::kOperator,
                                      Role::kViewer};
  const std::vector<Role> devices = {Role::kClient, Role::kEvaluator, Role::kLeaf};
  const std::vector<Role> trainers = {Role::kClient, Role::kLeaf};
  const std::vector<Role> evaluators = {Role::kEvaluator};
  const std::vector<Role> operators = {Role::kOperator};
  const std::vector<Role> staff = {Role::kOperator, Role::kViewer};
  return {
      {Listener::kMain, "/fed.v1.Participate/CheckIn", devices},
      {Listener::kMain, "/fed.v1.Participate/Renew", devices},
      {Listener::kMain, "/fed.v1.Participate/ReportEvaluation", evaluators},
      {Listener::kMain, "/fed.v1.Transfer/GetManifest", devices},
      {Listener::kMain, "/fed.v1.Transfer/Download", devices},
      {Listener::kMain, "/fed.v1.Transfer/Upload", trainers},
      {Listener::kMain, "/fed.v1.Renewal/RenewCertificate", everyone},
      {Listener::kMain, "/grpc.health.v1.Health/Check", nobody_in_particular},
      {Listener::kMain, "/grpc.health.v1.Health/Watch", nobody_in_particular},

      {Listener::kEnrollment, "/fed.v1.Enroll/EnrollDevice", nobody_in_particular},
      {Listener::kEnrollment, "/fed.v1.Enroll/Reenroll", nobody_in_particular},

      {Listener::kAdmin, "/fed.v1.Admin/CreateJob", operators},
      {Listener::kAdmin, "/fed.v1.Admin/StartJob", operators},
      {Listener::kAdmin, "/fed.v1.Admin/PauseJob", operators},
      {Listener::kAdmin, "/fed.v1.Admin/ResumeJob", operators},
      {Listener::kAdmin, "/fed.v1.Admin/StopJob", operators},
      {Listener::kAdmin, "/fed.v1.Admin/ListJobs", staff},
      {Listener::kAdmin, "/fed.v1.Admin/ShowJob", staff},
      {Listener::kAdmin, "/fed.v1.Admin/ListRounds", staff},
      {Listener::kAdmin, "/fed.v1.Admin/ShowRound", staff},
      {Listener::kAdmin, "/fed.v1.Admin/ListClients", staff},
      {Listener::kAdmin, "/fed.v1.Admin/ShowClient", staff},
      {Listener::kAdmin, "/fed.v1.Admin/RevokeClient", operators},
      {Listener::kAdmin, "/fed.v1.Admin/CreateEnrollToken", operators},
      {Listener::kAdmin, "/fed.v1.Admin/ListModels", staff},
      {Listener::kAdmin, "/fed.v1.Admin/DownloadModel", staff},
      {Listener::kAdmin, "/fed.v1.Admin/WatchJob", staff},
      {Listener::kAdmin, "/grpc.health.v1.Health/Check", nobody_in_particular},
      {Listener::kAdmin, "/grpc.health.v1.Health/Watch", nobody_in_particular},
      {Listener::kAdmin, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
       operators},
  };
}

}  // namespace

StatusOr<Caller> ParseIdentity(absl::string_view uri, absl::string_view trust_domain) {
  absl::string_view rest = uri;
  if (!absl::ConsumePrefix(&rest, kScheme)) return NoIdentity(uri, "expected spiffe://...");
  const std::vector<absl::string_view> parts = absl::StrSplit(rest, '/');
  if (parts.size() != 3) return NoIdentity(uri, "expected <trust domain>/<role>/<id>");
  if (parts[0] != trust_domain) {
    return NoIdentity(uri, absl::StrCat("expected trust domain ", trust_domain));
  }
  const StatusOr<Role> role = RoleFromName(parts[1]);
  if (!role.ok()) return NoIdentity(uri, role.status().message());
  if (!IsId(parts[2])) {
    return NoIdentity(uri, absl::StrCat("expected an id of 1 to ", kMaxIdBytes,
                                        " letters, digits, dashes, dots and underscores"));
  }
  return Caller{ClientId{std::string(parts[2])}, *role};
}

std::string IdentityUri(const Caller& caller, absl::string_view trust_domain) {
  return absl::StrCat(kScheme, trust_domain, "/", RoleName(caller.role), "/", caller.id.value);
}

absl::Span<const AccessRule> AccessRules() {
  static const std::vector<AccessRule> rules = MakeRules();
  return rules;
}

Status MayCall(Listener listener, absl::string_view method, const Caller* caller) {
  for (const AccessRule& rule : AccessRules()) {
    if (rule.listener != listener || rule.method != method) continue;
    if (rule.roles.empty()) return Status();
    if (caller == nullptr) {
      return Status(StatusCode::kUnauthenticated,
                    absl::StrCat(method, " needs a client certificate with an identity"));
    }
    if (std::find(rule.roles.begin(), rule.roles.end(), caller->role) != rule.roles.end()) {
      return Status();
    }
    return Status(StatusCode::kPermissionDenied,
                  absl::StrCat("role ", RoleName(caller->role), " may not call ", method));
  }
  return Status(StatusCode::kUnimplemented,
                absl::StrCat(method, " is not served on the ", ListenerName(listener), " port"));
}

}  // namespace fed::server
