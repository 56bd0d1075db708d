// A root and an issuing CA in memory, for the tests of this folder.
#ifndef FED_TESTS_UNIT_COMMON_CRYPTO_SMALL_CA_H_
#define FED_TESTS_UNIT_COMMON_CRYPTO_SMALL_CA_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/crypto/certificate.h"
#include "common/crypto/issuance.h"
#include "common/crypto/key.h"

namespace fed {

inline constexpr char kUri[] = "spiffe://fed.test/client/a1";

inline absl::Time Day(int year, int month, int day) {
  return absl::FromCivil(absl::CivilDay(year, month, day), absl::UTCTimeZone());
}

inline CertificateTemplate CaNamed(const std::string& name, int path_length) {
  CertificateTemplate what;
  what.common_name = name;
  what.not_before = Day(2020, 1, 1);
  what.not_after = Day(2060, 1, 1);
  what.is_ca = true;
  what.path_length = path_length;
  return what;
}

inline CertificateTemplate ClientUntil(absl::Time not_after) {
  CertificateTemplate what;
  what.common_name = "a1";
  what.uri = kUri;
  what.not_before = Day(2026, 1, 1);
  what.not_after = not_after;
  what.client_auth = true;
  return what;
}

struct SmallCa {
  PrivateKey root_key = PrivateKey::Generate();
  Certificate root = IssueRoot(root_key, CaNamed("root", 1)).value();
  PrivateKey issuing_key = PrivateKey::Generate();
  Certificate issuing =
      IssueCertificate(root, root_key, issuing_key.public_key(), CaNamed("issuing", 0)).value();

  Certificate Issue(const PrivateKey& key, const CertificateTemplate& what) const {
    return IssueCertificate(issuing, issuing_key, key.public_key(), what).value();
  }
  Status Check(const Certificate& leaf, const ChainPolicy& policy = {}) const {
    return CheckChain(leaf, absl::MakeConstSpan(&issuing, 1), absl::MakeConstSpan(&root, 1),
                      policy);
  }
};

}  // namespace fed

#endif  // FED_TESTS_UNIT_COMMON_CRYPTO_SMALL_CA_H_
