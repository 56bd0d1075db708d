// The text that a device enrolls with: a secret, and which root it may trust.
#ifndef FED_COMMON_CRYPTO_ENROLL_TOKEN_H_
#define FED_COMMON_CRYPTO_ENROLL_TOKEN_H_

#include <string>

#include "absl/strings/string_view.h"
#include "common/crypto/digest.h"
#include "fed/status.h"

namespace fed {

// "<64 hex characters>.<fingerprint of the root certificate, 64 hex characters>". Only the secret
// travels to the server; the fingerprint tells the device whom it talks to. Never logged.
struct EnrollToken {
  std::string secret;
  Digest root_fingerprint;

  static EnrollToken Make(const Digest& root_fingerprint);     // 32 bytes of the system's CSPRNG
  static StatusOr<EnrollToken> Parse(absl::string_view text);  // kInvalidArgument, never quoting it
  std::string ToText() const;
};

// What the server keeps of a secret: SHA-256, hex.
std::string EnrollTokenHash(absl::string_view secret);

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_ENROLL_TOKEN_H_
