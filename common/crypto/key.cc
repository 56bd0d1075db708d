// Key pairs by OpenSSL's EVP.
#include "common/crypto/key.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

#include <cstring>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/openssl.h"

namespace fed {
namespace {

using DigestContext = OpensslPointer<EVP_MD_CTX, &EVP_MD_CTX_free>;

const unsigned char* Octets(absl::string_view text) { return AsBytes(text).data(); }

// Ed25519 hashes by itself, and OpenSSL wants no digest named then.
const EVP_MD* DigestFor(KeyKind kind) { return kind == KeyKind::kP256 ? EVP_sha256() : nullptr; }

bool IsP256(const EVP_PKEY* key) {
  char group[32];
  return EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group, sizeof(group), nullptr) == 1 &&
         std::strcmp(group, "prime256v1") == 0;
}

// Instead of OpenSSL's own, which asks for a passphrase on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

}  // namespace

void FreeKey::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }

StatusOr<PublicKey> PublicKey::Of(KeyPointer key) {
  if (key != nullptr && IsP256(key.get())) return PublicKey(std::move(key), KeyKind::kP256);
  if (key != nullptr && EVP_PKEY_is_a(key.get(), "ED25519") == 1) {
    return PublicKey(std::move(key), KeyKind::kEd25519);
  }
  return OpensslError(StatusCode::kInvalidArgument, "key is neither P-256 nor Ed25519");
}

Digest PublicKey::digest() const { return Sha256(DerOf<EVP_PKEY>(key_.get(), &i2d_PUBKEY)); }

Status PublicKey::Verify(absl::string_view bytes, absl::string_view signature) const {
  ForgetOpensslErrors();
  const DigestContext context(EVP_MD_CTX_new());
  FED_CHECK(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, DigestFor(kind_), nullptr, key_.get()) != 1) {
    return OpensslError(StatusCode::kInternal, "verify a signature");
  }
  if (EVP_DigestVerify(context.get(), Octets(signature), signature.size(), Octets(bytes),
                       bytes.size()) != 1) {
    return OpensslError(StatusCode::kUnauthenticated, "signature is not this key's");
  }
  return Status();
}

PrivateKey PrivateKey::Generate(KeyKind kind) {
  KeyPointer key(kind == KeyKind::kP256 ? EVP_EC_gen("P-256")
                                        : EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  FED_CHECK(key != nullptr);
  return PrivateKey(PublicKey::Of(std::move(key)).value());
}

StatusOr<PrivateKey> PrivateKey::FromPem(absl::string_view pem) {
  ForgetOpensslErrors();
  KeyPointer key(PEM_read_bio_PrivateKey(ReadingBio(pem).get(), nullptr, &NoPassphrase, nullptr));
  if (key == nullptr) {
    return OpensslError(StatusCode::kInvalidArgument, "private key is not unencrypted PEM");
  }
  FED_ASSIGN_OR_RETURN(PublicKey whole, PublicKey::Of(std::move(key)));
  return PrivateKey(std::move(whole));
}

std::string PrivateKey::ToPem() const {
  const BioPointer bio = WritingBio();
  FED_CHECK(
      PEM_write_bio_PKCS8PrivateKey(bio.get(), get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return WrittenText(bio.get());
}

std::string PrivateKey::Sign(absl::string_view bytes) const {
  const DigestContext context(EVP_MD_CTX_new());
  FED_CHECK(context != nullptr);
  FED_CHECK(EVP_DigestSignInit(context.get(), nullptr, DigestFor(kind()), nullptr, get()) == 1);
  std::size_t size = 0;
  FED_CHECK(EVP_DigestSign(context.get(), nullptr, &size, Octets(bytes), bytes.size()) == 1);
  std::string signature(size, '\0');
  FED_CHECK(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(&signature[0]), &size,
                           Octets(bytes), bytes.size()) == 1);
  signature.resize(size);
  return signature;
}

}  // namespace fed
