// OpenSSL's objects with an owner, and its errors as text. Included by .cc files only.
#ifndef FED_COMMON_CRYPTO_OPENSSL_H_
#define FED_COMMON_CRYPTO_OPENSSL_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "fed/status.h"

namespace fed {

template <auto kFree>
struct OpensslFree {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
template <typename T, auto kFree>
using OpensslPointer = std::unique_ptr<T, OpensslFree<kFree>>;
using BioPointer = OpensslPointer<BIO, &BIO_free_all>;

// "<what>: <OpenSSL's reasons>", and empties this thread's queue of errors.
Status OpensslError(StatusCode code, absl::string_view what);

// Drops errors that an earlier call left, so that the next OpensslError tells its own only.
void ForgetOpensslErrors();

// Reads `text`, which outlives it. Never null.
BioPointer ReadingBio(absl::string_view text);
BioPointer WritingBio();
std::string WrittenText(BIO* bio);

// The DER that an i2d function makes of an object; the object is whole, so it can not fail.
template <typename T>
std::string DerOf(const T* object, int (*encode)(const T*, unsigned char**)) {
  unsigned char* raw = nullptr;
  const int size = encode(object, &raw);
  if (size <= 0) return "";
  std::string der(reinterpret_cast<const char*>(raw), static_cast<std::size_t>(size));
  OPENSSL_free(raw);
  return der;
}

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_OPENSSL_H_
