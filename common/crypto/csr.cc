// Signing requests by OpenSSL's X509_REQ.
#include "common/crypto/csr.h"

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/openssl.h"

namespace fed {
namespace {

using RequestPointer = OpensslPointer<X509_REQ, &X509_REQ_free>;

}  // namespace

Csr Csr::Make(const PrivateKey& key) {
  const RequestPointer request(X509_REQ_new());
  FED_CHECK(request != nullptr);
  FED_CHECK(X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1);
  FED_CHECK(X509_REQ_set_pubkey(request.get(), key.get()) == 1);
  const EVP_MD* digest = key.kind() == KeyKind::kP256 ? EVP_sha256() : nullptr;
  FED_CHECK(X509_REQ_sign(request.get(), key.get(), digest) > 0);
  return FromDer(DerOf<X509_REQ>(request.get(), &i2d_X509_REQ)).value();
}

StatusOr<Csr> Csr::FromDer(absl::string_view der) {
  ForgetOpensslErrors();
  if (der.empty() || der.size() > kMaxCsrBytes) {
    return Status(
        StatusCode::kInvalidArgument,
        absl::StrCat("signing request of ", der.size(), " bytes: expected 1 to ", kMaxCsrBytes));
  }
  const unsigned char* at = AsBytes(der).data();
  const RequestPointer request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (request == nullptr || at != AsBytes(der).data() + der.size()) {
    return OpensslError(StatusCode::kInvalidArgument,
                        "signing request is not one PKCS#10 request in DER");
  }
  KeyPointer raw(X509_REQ_get_pubkey(request.get()));
  FED_ASSIGN_OR_RETURN(PublicKey key, PublicKey::Of(std::move(raw)));
  if (X509_REQ_verify(request.get(), key.get()) != 1) {
    return OpensslError(StatusCode::kInvalidArgument,
                        "signing request is not signed by the key in it");
  }
  return Csr(std::string(der), std::move(key));
}

}  // namespace fed
