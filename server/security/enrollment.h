// How a device becomes known, stays known, and comes back.
#ifndef FED_SERVER_SECURITY_ENROLLMENT_H_
#define FED_SERVER_SECURITY_ENROLLMENT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/role.h"
#include "fed/status.h"
#include "server/security/access.h"
#include "server/security/certificate_authority.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace fed::server {

inline constexpr std::int64_t kMaxTokenUses = 1'000'000;
constexpr absl::Duration kMaxTokenLife = absl::Hours(24 * 90);
inline constexpr std::size_t kMaxClientNameBytes = 128;

struct NewToken {
  Role role = Role::kClient;
  std::int64_t uses = 1;                 // 1 to kMaxTokenUses
  absl::Duration life = absl::Hours(1);  // up to kMaxTokenLife
  Labels labels = {};                    // given to every device that enrolls with it
  // The names that the devices give become their ids: the first one to take a name has it. For
  // fleets with names of their own, and for simulations that are to repeat exactly.
  bool ids_from_names = false;
};

// What a device asks with. All of it is its own word.
struct EnrollmentRequest {
  std::string token_secret;  // the token's text up to the dot
  std::string csr;           // DER
  std::string name = {};     // for people
  Labels labels = {};        // the token's win
};
struct ReenrollmentRequest {
  std::string expired_certificate;  // DER
  std::string csr;                  // DER, of the new key
  std::string old_key_signature;    // over `csr`, by the certificate's key
};

struct Admission {
  Caller caller;
  std::string certificate;         // DER
  std::vector<std::string> chain;  // DER; the issuing CA, then the root
};

// Thread-safe; every call may block on the store's disk. `now` is wall time. kUnknown comes from a
// commit whose end is not known: the process must exit.
class Enrollment {
 public:
  // Both outlive it.
  Enrollment(Store& store, const CertificateAuthority& authority,
             absl::Duration renew_grace = absl::Hours(24 * 30))
      : store_(store), authority_(authority), renew_grace_(renew_grace) {}

  // The token's text, which nothing else keeps: the store has the hash of its secret.
  // kInvalidArgument.
  StatusOr<std::string> CreateToken(const NewToken& token, absl::Time now);

  // One use of the token, the client and its certificate in one transaction. The same key and token
  // again: the same answer, and no use. kUnauthenticated: the token is unknown, used up or expired,
  // and which of them is not told. kInvalidArgument: CSR, name or labels. kPermissionDenied: the
  // same key and token again, but revoked since. kAlreadyExists: the name would be the id, and
  // another key has it.
  StatusOr<Admission> Enroll(const EnrollmentRequest& request, absl::Time now);

  // Another certificate for the caller. An identity that the store does not know, yet holds our
  // certificate (the first operator), is written down, so that it can be revoked. kInvalidArgument:
  // CSR. kPermissionDenied: revoked.
  StatusOr<Admission> Renew(const Caller& caller, absl::string_view csr, absl::Time now);

  // Another certificate for the identity of an old one. kUnauthenticated: not ours, or not signed
  // by its key. kPermissionDenied: unknown, revoked, or expired for longer than the grace time.
  // kInvalidArgument: certificate or CSR can not be read.
  StatusOr<Admission> Reenroll(const ReenrollmentRequest& request, absl::Time now);

 private:
  StatusOr<Admission> GiveAnother(const Caller& caller, const Csr& csr, bool must_be_known,
                                  absl::Time now);
  StatusOr<Caller> CallerFor(const EnrollTokenRecord& token, const std::string& name) const;
  Admission Admit(const Caller& caller, std::string certificate) const;

  Store& store_;
  const CertificateAuthority& authority_;
  const absl::Duration renew_grace_;
};

}  // namespace fed::server

#endif  // FED_SERVER_SECURITY_ENROLLMENT_H_
