// Key pairs that certificates are made for: P-256 (the default) and Ed25519.
#ifndef FED_COMMON_CRYPTO_KEY_H_
#define FED_COMMON_CRYPTO_KEY_H_

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "common/crypto/digest.h"
#include "fed/status.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace fed {

// P-256 signs with ECDSA over SHA-256 (the signature is DER), Ed25519 signs the bytes themselves.
// gRPC for Python takes P-256 only.
enum class KeyKind { kP256, kEd25519 };

struct FreeKey {
  void operator()(evp_pkey_st* key) const;
};
using KeyPointer = std::unique_ptr<evp_pkey_st, FreeKey>;

// Immutable; may be used by several threads.
class PublicKey {
 public:
  // kInvalidArgument if it is of another kind.
  static StatusOr<PublicKey> Of(KeyPointer key);

  KeyKind kind() const { return kind_; }
  Digest digest() const;  // SHA-256 of the SubjectPublicKeyInfo's DER: the key's name

  // kUnauthenticated unless `signature` is this key's over `bytes`.
  Status Verify(absl::string_view bytes, absl::string_view signature) const;

  evp_pkey_st* get() const { return key_.get(); }

 private:
  PublicKey(KeyPointer key, KeyKind kind) : key_(std::move(key)), kind_(kind) {}

  KeyPointer key_;
  KeyKind kind_;
};

// Immutable; may be used by several threads. Never logged, and written to files of mode 0600 only.
class PrivateKey {
 public:
  // From the system's CSPRNG. Ends the process if there is none.
  static PrivateKey Generate(KeyKind kind = KeyKind::kP256);

  // Unencrypted PKCS#8 or SEC1. kInvalidArgument: not that, encrypted, or another kind of key.
  static StatusOr<PrivateKey> FromPem(absl::string_view pem);
  std::string ToPem() const;  // PKCS#8

  KeyKind kind() const { return public_key_.kind(); }
  const PublicKey& public_key() const { return public_key_; }
  std::string Sign(absl::string_view bytes) const;

  evp_pkey_st* get() const { return public_key_.get(); }

 private:
  explicit PrivateKey(PublicKey whole) : public_key_(std::move(whole)) {}

  PublicKey public_key_;  // OpenSSL keeps both halves in one object
};

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_KEY_H_
