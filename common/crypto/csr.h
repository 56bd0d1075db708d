// Certificate signing requests (PKCS#10): a device's proof that it holds its key.
#ifndef FED_COMMON_CRYPTO_CSR_H_
#define FED_COMMON_CRYPTO_CSR_H_

#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/crypto/key.h"
#include "fed/status.h"

namespace fed {

inline constexpr std::size_t kMaxCsrBytes = 8 << 10;

// A request whose signature was checked. Names in it are not read: the issuer gives them.
class Csr {
 public:
  // Made by the key's holder. The subject is empty.
  static Csr Make(const PrivateKey& key);

  // kInvalidArgument: too long, not one request and nothing else, a key that is neither P-256 nor
  // Ed25519, or not signed by that key.
  static StatusOr<Csr> FromDer(absl::string_view der);

  const std::string& der() const { return der_; }
  const PublicKey& public_key() const { return public_key_; }

 private:
  Csr(std::string der, PublicKey key) : der_(std::move(der)), public_key_(std::move(key)) {}

  std::string der_;
  PublicKey public_key_;
};

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_CSR_H_
