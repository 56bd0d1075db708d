// X.509 certificates: what is in them, and whether they lead to a root that is trusted.
#ifndef FED_COMMON_CRYPTO_CERTIFICATE_H_
#define FED_COMMON_CRYPTO_CERTIFICATE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "fed/status.h"

struct x509_st;  // OpenSSL's X509

namespace fed {

inline constexpr std::size_t kMaxCertificateBytes = 8 << 10;
inline constexpr std::size_t kMaxCertificates = 16;  // in one PEM text

struct FreeCertificate {
  void operator()(x509_st* certificate) const;
};
using CertificatePointer = std::unique_ptr<x509_st, FreeCertificate>;

// Immutable; may be used by several threads. Parsing believes nothing: only CheckChain says that a
// certificate was issued by someone who is trusted.
class Certificate {
 public:
  explicit Certificate(CertificatePointer certificate) : certificate_(std::move(certificate)) {}

  // One certificate and nothing else, of at most kMaxCertificateBytes. kInvalidArgument.
  static StatusOr<Certificate> FromDer(absl::string_view der);
  // The first in the text. kInvalidArgument.
  static StatusOr<Certificate> FromPem(absl::string_view pem);
  std::string ToDer() const;
  std::string ToPem() const;

  absl::Time not_before() const;
  absl::Time not_after() const;
  std::string serial() const;  // lower-case hex
  Digest fingerprint() const;  // SHA-256 of the DER
  // The one URI among its alternative names. kNotFound: none. kInvalidArgument: several, or one
  // with a zero byte in it.
  StatusOr<std::string> Uri() const;
  StatusOr<PublicKey> public_key() const;  // kInvalidArgument: neither P-256 nor Ed25519
  bool FitsKey(const PrivateKey& key) const;

  x509_st* get() const { return certificate_.get(); }

 private:
  CertificatePointer certificate_;
};

// All certificates of a PEM text, at least one. kInvalidArgument.
StatusOr<std::vector<Certificate>> CertificatesFromPem(absl::string_view pem);

struct ChainPolicy {
  enum class Use { kAny, kServer, kClient };

  std::optional<absl::Time> at = std::nullopt;  // absent: dates are not looked at
  Use use = Use::kAny;
};

// OK if `leaf` leads over `between`, in any order, to one of `roots`. kUnauthenticated says why
// not.
Status CheckChain(const Certificate& leaf, absl::Span<const Certificate> between,
                  absl::Span<const Certificate> roots, const ChainPolicy& policy = {});

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_CERTIFICATE_H_
