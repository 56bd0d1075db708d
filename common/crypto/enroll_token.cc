// Enrollment tokens as text.
#include "common/crypto/enroll_token.h"

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"

namespace fed {
namespace {

constexpr std::size_t kSecretBytes = 32;

}  // namespace

EnrollToken EnrollToken::Make(const Digest& root_fingerprint) {
  return EnrollToken{ToHex(SystemRandom(kSecretBytes)), root_fingerprint};
}

StatusOr<EnrollToken> EnrollToken::Parse(absl::string_view text) {
  const std::size_t dot = text.find('.');
  if (dot == absl::string_view::npos || dot != 2 * kSecretBytes) {
    return Status(StatusCode::kInvalidArgument,
                  "enrollment token: expected 64 hex characters, a dot and 64 hex characters, as "
                  "fedctl enroll-token prints it");
  }
  const StatusOr<Digest> fingerprint = Digest::FromHex(text.substr(dot + 1));
  if (!FromHex(text.substr(0, dot)).ok() || !fingerprint.ok()) {
    return Status(StatusCode::kInvalidArgument,
                  "enrollment token is cut off or has characters that are not hexadecimal");
  }
  return EnrollToken{std::string(text.substr(0, dot)), *fingerprint};
}

std::string EnrollToken::ToText() const {
  return absl::StrCat(secret, ".", root_fingerprint.ToHex());
}

std::string EnrollTokenHash(absl::string_view secret) { return Sha256(secret).ToHex(); }

}  // namespace fed
