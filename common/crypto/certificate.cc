// Certificates by OpenSSL's X509.
#include "common/crypto/certificate.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/openssl.h"

namespace fed {
namespace {

void FreeStack(STACK_OF(X509) * stack) { sk_X509_free(stack); }
void FreeNumberText(char* text) { OPENSSL_free(text); }

using NamesPointer = OpensslPointer<GENERAL_NAMES, &GENERAL_NAMES_free>;
using NumberPointer = OpensslPointer<BIGNUM, &BN_free>;
using NumberText = OpensslPointer<char, &FreeNumberText>;
using StackPointer = OpensslPointer<STACK_OF(X509), &FreeStack>;
using StorePointer = OpensslPointer<X509_STORE, &X509_STORE_free>;
using ContextPointer = OpensslPointer<X509_STORE_CTX, &X509_STORE_CTX_free>;

absl::Time TimeOf(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return absl::InfinitePast();
  return absl::FromTM(parts, absl::UTCTimeZone());
}

std::string TextOf(const ASN1_STRING* text) {
  return std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                     static_cast<std::size_t>(ASN1_STRING_length(text)));
}

// Borrows the certificates.
StackPointer StackOf(absl::Span<const Certificate> certificates) {
  StackPointer stack(sk_X509_new_null());
  FED_CHECK(stack != nullptr);
  for (const Certificate& certificate : certificates) {
    FED_CHECK(sk_X509_push(stack.get(), certificate.get()) > 0);
  }
  return stack;
}

void ApplyPolicy(const ChainPolicy& policy, X509_STORE_CTX* context) {
  X509_VERIFY_PARAM* parameters = X509_STORE_CTX_get0_param(context);
  if (policy.at.has_value()) {
    X509_VERIFY_PARAM_set_time(parameters, absl::ToTimeT(*policy.at));
  } else {
    X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_NO_CHECK_TIME);
  }
  if (policy.use == ChainPolicy::Use::kServer) {
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER);
  } else if (policy.use == ChainPolicy::Use::kClient) {
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_CLIENT);
  }
}

}  // namespace

void FreeCertificate::operator()(x509_st* certificate) const { X509_free(certificate); }

StatusOr<Certificate> Certificate::FromDer(absl::string_view der) {
  ForgetOpensslErrors();
  if (der.empty() || der.size() > kMaxCertificateBytes) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("certificate of ", der.size(), " bytes: expected 1 to ",
                               kMaxCertificateBytes));
  }
  const unsigned char* at = AsBytes(der).data();
  CertificatePointer parsed(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (parsed == nullptr || at != AsBytes(der).data() + der.size()) {
    return OpensslError(StatusCode::kInvalidArgument, "certificate is not one X.509 in DER");
  }
  return Certificate(std::move(parsed));
}

StatusOr<Certificate> Certificate::FromPem(absl::string_view pem) {
  FED_ASSIGN_OR_RETURN(std::vector<Certificate> all, CertificatesFromPem(pem));
  return std::move(all.front());
}

std::string Certificate::ToDer() const { return DerOf<X509>(get(), &i2d_X509); }

std::string Certificate::ToPem() const {
  const BioPointer bio = WritingBio();
  FED_CHECK(PEM_write_bio_X509(bio.get(), get()) == 1);
  return WrittenText(bio.get());
}

absl::Time Certificate::not_before() const { return TimeOf(X509_get0_notBefore(get())); }
absl::Time Certificate::not_after() const { return TimeOf(X509_get0_notAfter(get())); }

std::string Certificate::serial() const {
  const NumberPointer number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(get()), nullptr));
  FED_CHECK(number != nullptr);
  const NumberText hex(BN_bn2hex(number.get()));
  FED_CHECK(hex != nullptr);
  return absl::AsciiStrToLower(hex.get());
}

Digest Certificate::fingerprint() const { return Sha256(ToDer()); }

StatusOr<std::string> Certificate::Uri() const {
  const NamesPointer names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) uris.push_back(TextOf(name->d.uniformResourceIdentifier));
  }
  if (uris.empty()) return Status(StatusCode::kNotFound, "certificate names no URI");
  if (uris.size() > 1) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("certificate names ", uris.size(), " URIs: expected one"));
  }
  if (uris.front().find('\0') != std::string::npos) {
    return Status(StatusCode::kInvalidArgument, "certificate's URI has a zero byte in it");
  }
  return std::move(uris.front());
}

StatusOr<PublicKey> Certificate::public_key() const {
  return PublicKey::Of(KeyPointer(X509_get_pubkey(get())));
}

bool Certificate::FitsKey(const PrivateKey& key) const {
  const bool fits = X509_check_private_key(get(), key.get()) == 1;
  ForgetOpensslErrors();
  return fits;
}

StatusOr<std::vector<Certificate>> CertificatesFromPem(absl::string_view pem) {
  ForgetOpensslErrors();
  const BioPointer bio = ReadingBio(pem);
  std::vector<Certificate> certificates;
  while (true) {
    CertificatePointer next(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (next == nullptr) break;
    if (certificates.size() == kMaxCertificates) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("more than ", kMaxCertificates, " certificates in PEM"));
    }
    certificates.emplace_back(std::move(next));
  }
  // The end of the text reads as "no start line"; anything else is a broken certificate.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (!at_end || certificates.empty()) {
    return OpensslError(StatusCode::kInvalidArgument,
                        absl::StrCat("PEM certificate ", certificates.size() + 1));
  }
  ForgetOpensslErrors();
  return certificates;
}

Status CheckChain(const Certificate& leaf, absl::Span<const Certificate> between,
                  absl::Span<const Certificate> roots, const ChainPolicy& policy) {
  ForgetOpensslErrors();
  const StorePointer store(X509_STORE_new());
  FED_CHECK(store != nullptr);
  for (const Certificate& root : roots) X509_STORE_add_cert(store.get(), root.get());
  const StackPointer untrusted = StackOf(between);
  const ContextPointer context(X509_STORE_CTX_new());
  FED_CHECK(context != nullptr);
  FED_CHECK(X509_STORE_CTX_init(context.get(), store.get(), leaf.get(), untrusted.get()) == 1);
  ApplyPolicy(policy, context.get());
  const bool trusted = X509_verify_cert(context.get()) == 1;
  ForgetOpensslErrors();
  if (trusted) return Status();
  const int error = X509_STORE_CTX_get_error(context.get());
  return Status(StatusCode::kUnauthenticated,
                absl::StrCat("certificate is not trusted: ", X509_verify_cert_error_string(error)));
}

}  // namespace fed
