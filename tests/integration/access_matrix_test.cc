// Who may call what: every RPC of every service, on every listener, by every role and by strangers.
// What is expected is computed from the table of rules, what is called from the protocol itself.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/security/access.h"
#include "tests/integration/peer.h"
#include "tests/integration/running_server.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using server::AccessRule;
using server::Listener;
using ::testing::AnyOf;
using ::testing::SizeIs;

const std::vector<Role> kRoles = {Role::kClient, Role::kEvaluator, Role::kLeaf, Role::kOperator,
                                  Role::kViewer};

// "/fed.v1.Participate/CheckIn" and all others that fed.v1 declares.
std::vector<std::string> AllMethods() {
  const auto* const pool = google::protobuf::DescriptorPool::generated_pool();
  std::vector<std::string> methods;
  for (const char* const name : {"admin", "enroll", "participate", "transfer"}) {
    const auto* const file = pool->FindFileByName(absl::StrCat("fed/v1/", name, ".proto"));
    for (int s = 0; file != nullptr && s < file->service_count(); ++s) {
      const auto* const service = file->service(s);
      for (int m = 0; m < service->method_count(); ++m) {
        methods.push_back(absl::StrCat("/", service->full_name(), "/", service->method(m)->name()));
      }
    }
  }
  return methods;
}

const AccessRule* RuleOf(Listener listener, const std::string& method) {
  for (const AccessRule& rule : server::AccessRules()) {
    if (rule.listener == listener && rule.method == method) return &rule;
  }
  return nullptr;
}

std::string AddressOf(const RunningServer& server, Listener listener) {
  if (listener == Listener::kMain) return server.addresses().main;
  return listener == Listener::kAdmin ? server.addresses().admin : server.addresses().enrollment;
}

TestIdentity Someone(Role role) {
  return TestPki::Shared().Issue({{absl::StrCat("some-", std::string(RoleName(role)))}, role});
}

// An empty message is no good request anywhere: what is allowed gets as far as being told so.
void ExpectAsTheTableSays(const Peer& peer, Listener listener, Role role,
                          const std::string& method) {
  const Status status = peer.CallByName(method).status();
  const AccessRule* const rule = RuleOf(listener, method);
  if (rule == nullptr) {
    EXPECT_THAT(status, StatusIs(StatusCode::kUnimplemented)) << method;
  } else if (rule->roles.empty()) {  // enrollment: the token is looked at, not the caller
    EXPECT_THAT(status.code(), AnyOf(StatusCode::kInvalidArgument, StatusCode::kUnauthenticated))
        << method << ": " << status.message();
  } else if (std::find(rule->roles.begin(), rule->roles.end(), role) == rule->roles.end()) {
    EXPECT_THAT(status, StatusIs(StatusCode::kPermissionDenied,
                                 absl::StrCat("role ", std::string(RoleName(role)),
                                              " may not call ", method)));
  } else {
    EXPECT_THAT(status.code(),
                AnyOf(StatusCode::kOk, StatusCode::kInvalidArgument, StatusCode::kNotFound))
        << method << ": " << status.message();
  }
}

TEST(AccessMatrix, EveryRoleGetsOfEveryRpcWhatTheTableSays) {
  RunningServer server;
  const std::vector<std::string> methods = AllMethods();
  ASSERT_THAT(methods, SizeIs(::testing::Ge(25)));
  for (const Listener listener : {Listener::kMain, Listener::kEnrollment, Listener::kAdmin}) {
    for (const Role role : kRoles) {
      SCOPED_TRACE(absl::StrCat(AddressOf(server, listener), " ", std::string(RoleName(role))));
      const Peer peer(AddressOf(server, listener), Someone(role));
      for (const std::string& method : methods) {
        ExpectAsTheTableSays(peer, listener, role, method);
      }
    }
  }
}

TEST(AccessMatrix, EveryRpcOfTheProtocolHasARule) {
  const auto rules = server::AccessRules();
  for (const std::string& method : AllMethods()) {
    EXPECT_TRUE(std::any_of(rules.begin(), rules.end(), [&](const AccessRule& rule) {
      return rule.method == method;
    })) << method;
  }
}

TEST(AccessMatrix, WhatTheProtocolDoesNotKnowIsUnimplementedForAnybody) {
  RunningServer server;
  const Peer oper(server.addresses().admin, Someone(Role::kOperator));

  EXPECT_THAT(oper.CallByName("/fed.v1.Admin/DropTables"), StatusIs(StatusCode::kUnimplemented));
  EXPECT_THAT(oper.CallByName("/fed.v2.Admin/ListJobs"), StatusIs(StatusCode::kUnimplemented));
}

// A refused handshake looks like nobody being there, whatever its cause.
void ExpectNoService(const RunningServer& server, const std::function<Peer(std::string)>& connect) {
  for (const Listener listener : {Listener::kMain, Listener::kAdmin}) {
    const Peer peer = connect(AddressOf(server, listener));
    for (const std::string& method : AllMethods()) {
      EXPECT_THAT(peer.CallByName(method), StatusIs(StatusCode::kUnavailable)) << method;
    }
  }
}

TEST(AccessMatrix, WithoutACertificateNothingIsServed) {
  RunningServer server;
  ExpectNoService(server, [](const std::string& address) { return Peer(address); });
}

TEST(AccessMatrix, WithACertificateOfAnotherCaNothingIsServed) {
  RunningServer server;
  ExpectNoService(server, [](const std::string& address) {
    return Peer(address, TestPki::Wrong().Operator("the-operator"));
  });
}

TEST(AccessMatrix, WithAnExpiredCertificateNothingIsServed) {
  RunningServer server;
  ExpectNoService(server, [](const std::string& address) {
    return Peer(address, TestPki::Shared().Issue({{"late"}, Role::kOperator},
                                                 TestPki::ExpiredBy(absl::Hours(1), absl::Now())));
  });
}

TEST(AccessMatrix, WithACertificateOfTomorrowNothingIsServed) {
  RunningServer server;
  ExpectNoService(server, [](const std::string& address) {
    return Peer(address, TestPki::Shared().Issue({{"early"}, Role::kOperator},
                                                 TestPki::ValidIn(absl::Hours(24), absl::Now())));
  });
}

}  // namespace
}  // namespace fed::testing
