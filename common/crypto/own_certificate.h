// What a device asks itself before it connects: a refused handshake never says why.
#ifndef FED_COMMON_CRYPTO_OWN_CERTIFICATE_H_
#define FED_COMMON_CRYPTO_OWN_CERTIFICATE_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/crypto/certificate.h"
#include "fed/status.h"

namespace fed {

struct NamedPem {
  std::string file;  // its name in messages
  std::string pem;
};

struct OwnCertificate {
  NamedPem certificate;  // the own one first, then those between it and the root
  NamedPem key;
  NamedPem ca;
  ChainPolicy::Use use = ChainPolicy::Use::kClient;
};

// kFailedPrecondition, naming the file, if the pair can never be accepted: not readable, the key is
// another's, or it does not lead to the CA. Otherwise what its dates say, for people: "client.pem
// expired on 2026-01-02 (3 days ago)", "client.pem is valid only from 2026-01-05 (in 3 days)", or
// "" when they are fine. Dates alone are no failure: the clock may be wrong.
StatusOr<std::string> CheckOwnCertificate(const OwnCertificate& own, absl::Time now);

// The advice alone.
std::string DateAdvice(absl::string_view file, const Certificate& certificate, absl::Time now);

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_OWN_CERTIFICATE_H_
