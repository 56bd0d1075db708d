// Making certificates: a root that signs itself, and all that is signed below it.
#ifndef FED_COMMON_CRYPTO_ISSUANCE_H_
#define FED_COMMON_CRYPTO_ISSUANCE_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/crypto/certificate.h"
#include "common/crypto/key.h"
#include "fed/status.h"

namespace fed {

struct CertificateTemplate {
  std::string common_name;             // for people, and for a CA how chains find it; 1 to 64 bytes
  std::string uri;                     // alternative name; empty: none
  std::vector<std::string> dns_names;  // alternative names
  std::vector<std::string> ip_addresses;  // alternative names; v4 or v6
  absl::Time not_before;                  // whole seconds count
  absl::Time not_after;
  bool is_ca = false;
  int path_length = 0;  // of a CA: how many more CAs may stand below it
  bool server_auth = false;
  bool client_auth = false;
};

// Signed by its own key. kInvalidArgument: a name that X.509 does not take, or dates in the wrong
// order.
StatusOr<Certificate> IssueRoot(const PrivateKey& key, const CertificateTemplate& what);

// For `subject`, signed by `issuer_key`, which belongs to `issuer`. The serial number is 16 random
// bytes. kInvalidArgument as above.
StatusOr<Certificate> IssueCertificate(const Certificate& issuer, const PrivateKey& issuer_key,
                                       const PublicKey& subject, const CertificateTemplate& what);

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_ISSUANCE_H_
