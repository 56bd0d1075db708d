// Certificates for tests: a CA as `fedctl ca init` makes it, and whoever a test needs below it.
#ifndef FED_TESTS_TESTING_TEST_PKI_H_
#define FED_TESTS_TESTING_TEST_PKI_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/role.h"
#include "common/crypto/certificate.h"
#include "common/crypto/key.h"
#include "server/security/access.h"
#include "server/security/certificate_authority.h"
#include "tests/testing/temp_folder.h"

namespace fed::testing {

// As files would hold it.
struct TestIdentity {
  server::Caller caller;
  std::string certificate_pem;  // the own one, then the issuing CA's
  std::string key_pem;
  std::string certificate_der;  // the own one
};

// Valid from 2020 to 2060, so under a ManualClock as well as under the machine's, which TLS itself
// looks at. Immutable; may be used by several threads. Ends the process if anything fails.
class TestPki {
 public:
  static constexpr char kTrustDomain[] = "fed.test";

  TestPki();

  // Made at the first call, once a process: for whoever needs just any CA.
  static const TestPki& Shared();
  // Another one, of the same trust domain and names: what an attacker would set up.
  static const TestPki& Wrong();

  struct Dates {
    absl::Time not_before, not_after;
  };
  static Dates AlwaysValid();                                  // 2020 to 2060
  static Dates ExpiredBy(absl::Duration ago, absl::Time now);  // was good for 24 hours
  static Dates ValidIn(absl::Duration time, absl::Time now);   // will be good for 24 hours

  TestIdentity Client(absl::string_view id) const {
    return Issue({{std::string(id)}, Role::kClient});
  }
  TestIdentity Evaluator(absl::string_view id) const {
    return Issue({{std::string(id)}, Role::kEvaluator});
  }
  TestIdentity Operator(absl::string_view id) const {
    return Issue({{std::string(id)}, Role::kOperator});
  }
  TestIdentity Viewer(absl::string_view id) const {
    return Issue({{std::string(id)}, Role::kViewer});
  }
  TestIdentity Issue(const server::Caller& caller,
                     const std::optional<Dates>& dates = std::nullopt) const;

  // For localhost, 127.0.0.1 and ::1; with its chain.
  const std::string& server_pem() const { return server_pem_; }
  const std::string& server_key_pem() const { return server_key_pem_; }
  const std::string& root_pem() const { return root_pem_; }
  const Certificate& root() const { return authority_->root(); }
  const server::CertificateAuthority& authority() const { return *authority_; }

  const std::string& folder() const { return folder_.path(); }  // all files of the CA

 private:
  std::string Read(absl::string_view name) const;

  TempFolder folder_;
  std::unique_ptr<server::CertificateAuthority> authority_;
  std::optional<Certificate> issuing_;
  std::optional<PrivateKey> issuing_key_;
  std::string server_pem_, server_key_pem_, root_pem_;
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_TEST_PKI_H_
