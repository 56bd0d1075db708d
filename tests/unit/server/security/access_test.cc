// Who may call what: the table against the proto files, and every rule with every role.
#include "server/security/access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/base/file.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::HasSubstr;

constexpr Role kAllRoles[] = {Role::kClient, Role::kEvaluator, Role::kLeaf, Role::kOperator,
                              Role::kViewer};
constexpr Listener kAllListeners[] = {Listener::kMain, Listener::kEnrollment, Listener::kAdmin};

// An RPC as its proto file declares it.
struct DeclaredRpc {
  std::string service;
  std::string method;   // "/fed.v1.Service/Method"
  std::string comment;  // the lines before it and at its end
};

// Reads "service X {" and "rpc Y(" lines, with the comments that belong to each rpc.
void ReadDeclaredRpcs(const std::string& text, std::vector<DeclaredRpc>& rpcs) {
  std::string service, comment;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    line = absl::StripAsciiWhitespace(line);
    if (absl::ConsumePrefix(&line, "service ")) {
      service = std::string(line.substr(0, line.find(' ')));
      comment.clear();
    } else if (absl::ConsumePrefix(&line, "rpc ")) {
      const std::size_t end = line.find("//");
      if (end != absl::string_view::npos) absl::StrAppend(&comment, line.substr(end));
      rpcs.push_back({service,
                      absl::StrCat("/fed.v1.", service, "/", line.substr(0, line.find('('))),
                      comment});
      comment.clear();
    } else if (absl::StartsWith(line, "//")) {
      absl::StrAppend(&comment, line, " ");
    } else {
      comment.clear();
    }
  }
}

std::vector<DeclaredRpc> DeclaredRpcs() {
  std::vector<DeclaredRpc> rpcs;
  FileSystem& files = FileSystem::Real();
  const std::vector<std::string> names = files.List(FED_PROTO_FOLDER).value();
  for (const std::string& name : names) {
    if (!absl::EndsWith(name, ".proto")) continue;
    ReadDeclaredRpcs(ReadFile(files, JoinPath(FED_PROTO_FOLDER, name), 1 << 20).value(), rpcs);
  }
  return rpcs;
}

std::vector<const AccessRule*> RulesFor(absl::string_view method) {
  std::vector<const AccessRule*> found;
  for (const AccessRule& rule : AccessRules()) {
    if (rule.method == method) found.push_back(&rule);
  }
  return found;
}

TEST(AccessTable, HasOneRuleForEveryRpcOnItsListener) {
  const std::map<std::string, Listener> homes = {{"Participate", Listener::kMain},
                                                 {"Transfer", Listener::kMain},
                                                 {"Renewal", Listener::kMain},
                                                 {"Enroll", Listener::kEnrollment},
                                                 {"Admin", Listener::kAdmin}};
  const std::vector<DeclaredRpc> rpcs = DeclaredRpcs();
  ASSERT_GE(rpcs.size(), 25U) << "the proto files were not read";

  for (const DeclaredRpc& rpc : rpcs) {
    const auto rules = RulesFor(rpc.method);
    ASSERT_EQ(rules.size(), 1U) << rpc.method;
    ASSERT_TRUE(homes.contains(rpc.service)) << "a new service: " << rpc.service;
    EXPECT_EQ(rules.front()->listener, homes.at(rpc.service)) << rpc.method;
  }
}

TEST(AccessTable, HasNoRuleWithoutAnRpc) {
  std::set<std::string> declared = {
      "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"};
  for (const DeclaredRpc& rpc : DeclaredRpcs()) declared.insert(rpc.method);

  for (const AccessRule& rule : AccessRules()) {
    EXPECT_TRUE(declared.contains(std::string(rule.method))) << rule.method;
  }
}

TEST(AccessTable, GivesTheRolesThatTheProtoFileNames) {
  int compared = 0;
  for (const DeclaredRpc& rpc : DeclaredRpcs()) {
    const std::size_t at = rpc.comment.find("Roles: ");
    if (at == std::string::npos) continue;
    const std::string list = rpc.comment.substr(at + 7, rpc.comment.find('.', at) - at - 7);
    std::vector<std::string> names;
    for (const Role role : RulesFor(rpc.method).front()->roles) {
      names.emplace_back(RoleName(role));
    }
    EXPECT_THAT(names, ::testing::UnorderedElementsAreArray(
                           std::vector<std::string>(absl::StrSplit(list, ", "))))
        << rpc.method;
    ++compared;
  }
  EXPECT_EQ(compared, 6);
}

TEST(AccessTable, GivesViewersWhatTheAdminProtoMarks) {
  for (const DeclaredRpc& rpc : DeclaredRpcs()) {
    if (rpc.service != "Admin") continue;
    const Caller viewer{{"v"}, Role::kViewer}, first_operator{{"o"}, Role::kOperator};
    const bool marked = absl::StrContains(rpc.comment, "// viewer");

    EXPECT_EQ(MayCall(Listener::kAdmin, rpc.method, &viewer).ok(), marked) << rpc.method;
    EXPECT_OK(MayCall(Listener::kAdmin, rpc.method, &first_operator)) << rpc.method;
  }
}

TEST(AccessTable, IsAsWrittenForEveryListenerMethodAndRole) {
  for (const Listener listener : kAllListeners) {
    for (const AccessRule& rule : AccessRules()) {
      for (const Role role : kAllRoles) {
        const Caller caller{{"a"}, role};
        bool served = false, allowed = false;
        for (const AccessRule* there : RulesFor(rule.method)) {
          if (there->listener != listener) continue;
          served = true;
          allowed =
              there->roles.empty() || std::count(there->roles.begin(), there->roles.end(), role);
        }

        const Status answer = MayCall(listener, rule.method, &caller);

        EXPECT_EQ(answer.code(), !served    ? StatusCode::kUnimplemented
                                 : !allowed ? StatusCode::kPermissionDenied
                                            : StatusCode::kOk)
            << rule.method << " as " << RoleName(role);
      }
    }
  }
}

TEST(MayCall, RefusesAClientOnAdminWithMethodAndRole) {
  const Caller client{{"a"}, Role::kClient};

  EXPECT_THAT(
      MayCall(Listener::kAdmin, "/fed.v1.Admin/StopJob", &client),
      StatusIs(StatusCode::kPermissionDenied, "role client may not call /fed.v1.Admin/StopJob"));
}

TEST(MayCall, RefusesAnEvaluatorsUpdate) {
  const Caller evaluator{{"a"}, Role::kEvaluator};

  EXPECT_THAT(MayCall(Listener::kMain, "/fed.v1.Transfer/Upload", &evaluator),
              StatusIs(StatusCode::kPermissionDenied));
}

TEST(MayCall, NeedsAnIdentityEverywhereButAtEnrollmentAndHealth) {
  for (const AccessRule& rule : AccessRules()) {
    const bool open = absl::StartsWith(rule.method, "/fed.v1.Enroll/") ||
                      absl::StartsWith(rule.method, "/grpc.health.v1.Health/");

    EXPECT_EQ(MayCall(rule.listener, rule.method, nullptr).code(),
              open ? StatusCode::kOk : StatusCode::kUnauthenticated)
        << rule.method;
  }
}

TEST(MayCall, KnowsNoMethodWithoutARule) {
  const Caller first_operator{{"o"}, Role::kOperator};
  const auto not_served = StatusIs(StatusCode::kUnimplemented, HasSubstr("not served on the main"));

  EXPECT_THAT(MayCall(Listener::kMain, "/fed.v1.Admin/StopJob", &first_operator), not_served);
  EXPECT_THAT(MayCall(Listener::kMain, "/fed.v1.Participate/checkin", &first_operator), not_served);
  EXPECT_THAT(MayCall(Listener::kMain, "", &first_operator), not_served);
}

TEST(Identities, ComeBackFromTheirUri) {
  for (const Role role : kAllRoles) {
    const Caller caller{{"0af3-B_c.d"}, role};

    ASSERT_OK_AND_ASSIGN(const Caller read,
                         ParseIdentity(IdentityUri(caller, "fed.test"), "fed.test"));

    EXPECT_EQ(read.id, caller.id);
    EXPECT_EQ(read.role, role);
  }
  EXPECT_EQ(IdentityUri({{"a1"}, Role::kLeaf}, "fed.test"), "spiffe://fed.test/leaf/a1");
}

TEST(Identities, AreNothingButDomainRoleAndId) {
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"", "expected spiffe://"},
      {"https://fed.test/client/a", "expected spiffe://"},
      {"SPIFFE://fed.test/client/a", "expected spiffe://"},
      {"spiffe://fed.test/client", "<trust domain>/<role>/<id>"},
      {"spiffe://fed.test/client/a/b", "<trust domain>/<role>/<id>"},
      {"spiffe://fed.test/client/a/", "<trust domain>/<role>/<id>"},
      {"spiffe://other.test/client/a", "expected trust domain fed.test"},
      {"spiffe:///client/a", "expected trust domain fed.test"},
      {"spiffe://fed.test.evil/client/a", "expected trust domain fed.test"},
      {"spiffe://fed.test/root/a", "role \"root\""},
      {"spiffe://fed.test/Client/a", "role \"Client\""},
      {"spiffe://fed.test/client/", "expected an id"},
      {"spiffe://fed.test/client/..", "expected an id"},
      {"spiffe://fed.test/client/a b", "expected an id"},
      {"spiffe://fed.test/client/a?x", "expected an id"},
      {"spiffe://fed.test/client/" + std::string(65, 'a'), "expected an id"},
      {std::string("spiffe://fed.test/client/a\0b", 28), "expected an id"},
  };
  for (const auto& [uri, why] : refused) {
    EXPECT_THAT(ParseIdentity(uri, "fed.test"),
                StatusIs(StatusCode::kUnauthenticated, HasSubstr(why)))
        << uri;
  }
}

}  // namespace
}  // namespace fed::server
