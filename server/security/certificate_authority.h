// The server's own certificate authority: made once by `fedctl ca init`, then used to give devices
// their short-lived certificates.
#ifndef FED_SERVER_SECURITY_CERTIFICATE_AUTHORITY_H_
#define FED_SERVER_SECURITY_CERTIFICATE_AUTHORITY_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/file.h"
#include "common/base/role.h"
#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "common/crypto/key.h"
#include "fed/status.h"
#include "server/security/access.h"

namespace fed::server {

// The files of a CA folder. Keys are PKCS#8, everything is PEM, every file has mode 0600.
inline constexpr char kRootKeyFile[] = "root.key";  // may be kept offline
inline constexpr char kRootFile[] = "root.pem";     // what everybody trusts
inline constexpr char kIssuingKeyFile[] = "issuing.key";
inline constexpr char kIssuingFile[] = "issuing.pem";
inline constexpr char kServerKeyFile[] = "server.key";
inline constexpr char kServerFile[] = "server.pem";  // with its chain, the root included: that is
                                                     // how a device that knows only the root's
                                                     // fingerprint finds the root
inline constexpr char kOperatorKeyFile[] = "operator.key";
inline constexpr char kOperatorFile[] = "operator.pem";  // the first operator's, with its chain

struct NewAuthority {
  std::string trust_domain;               // lower-case letters, digits, '.', '-', '_'
  std::vector<std::string> server_names;  // DNS names or IP addresses; at least one
  absl::Time now;
  absl::Duration root_life = absl::Hours(24 * 3650);
  absl::Duration issuing_life = absl::Hours(24 * 1825);
  absl::Duration server_life = absl::Hours(24 * 365);
  absl::Duration operator_life = absl::Hours(24 * 365);
};

// Writes all files of a CA folder, durably. kAlreadyExists if one of them is there: nothing is ever
// overwritten. kInvalidArgument names what is wrong with a name.
Status InitAuthority(FileSystem& files, const std::string& folder, const NewAuthority& what);

struct IssueOptions {
  absl::Duration life = absl::Hours(24);
  absl::Duration backdating = absl::Minutes(5);  // devices' clocks are late
};

// Thread-safe.
class CertificateAuthority {
 public:
  // Needs root.pem, issuing.pem and issuing.key only. kNotFound: not there, run `fedctl ca init`.
  // kFailedPrecondition: they do not belong together.
  static StatusOr<std::unique_ptr<CertificateAuthority>> Load(FileSystem& files,
                                                              const std::string& folder,
                                                              const IssueOptions& options = {});

  // A client certificate for the request's key and this identity, from `now` - backdating for a
  // life, but never beyond the issuing CA's own. kFailedPrecondition: the issuing CA has expired.
  StatusOr<Certificate> IssueFor(const Caller& caller, const Csr& csr, absl::Time now) const;

  // OK if we issued it, whatever its dates. kUnauthenticated.
  Status CheckIssued(const Certificate& certificate) const;

  const std::string& trust_domain() const { return trust_domain_; }
  const Certificate& root() const { return root_; }
  std::vector<std::string> ChainDer() const;  // the issuing CA, then the root

 private:
  CertificateAuthority(Certificate root, Certificate issuing, PrivateKey issuing_key)
      : root_(std::move(root)),
        issuing_(std::move(issuing)),
        issuing_key_(std::move(issuing_key)) {}

  Certificate root_;
  Certificate issuing_;
  PrivateKey issuing_key_;
  std::string trust_domain_;
  IssueOptions options_;
};

// 16 random bytes, hex.
ClientId NewClientId();

}  // namespace fed::server

#endif  // FED_SERVER_SECURITY_CERTIFICATE_AUTHORITY_H_
