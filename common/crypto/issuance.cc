// Certificates made by OpenSSL's X509 calls; names are set as values, never as configuration text.
#include "common/crypto/issuance.h"

#include <openssl/bn.h>
#include <openssl/x509v3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/crypto/digest.h"
#include "common/crypto/openssl.h"

namespace fed {
namespace {

using ExtensionPointer = OpensslPointer<X509_EXTENSION, &X509_EXTENSION_free>;
using NumberPointer = OpensslPointer<BIGNUM, &BN_free>;
using NamePointer = OpensslPointer<GENERAL_NAME, &GENERAL_NAME_free>;
using NamesPointer = OpensslPointer<GENERAL_NAMES, &GENERAL_NAMES_free>;
using TextPointer = OpensslPointer<ASN1_IA5STRING, &ASN1_IA5STRING_free>;
using OctetsPointer = OpensslPointer<ASN1_OCTET_STRING, &ASN1_OCTET_STRING_free>;

// Who signs; without a certificate the one being made signs itself.
struct Signer {
  const Certificate* certificate;
  const PrivateKey& key;
};

Status SetSerial(X509* made) {
  std::vector<std::uint8_t> random = SystemRandom(16);
  random[0] = static_cast<std::uint8_t>((random[0] & 0x7f) | 0x40);  // positive, always 16 bytes
  const NumberPointer number(BN_bin2bn(random.data(), static_cast<int>(random.size()), nullptr));
  if (number == nullptr ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(made)) == nullptr) {
    return OpensslError(StatusCode::kInternal, "serial number");
  }
  return Status();
}

Status SetSubject(X509* made, const std::string& common_name) {
  X509_NAME* subject = X509_get_subject_name(made);
  if (common_name.empty() ||
      X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_UTF8,
                                 AsBytes(common_name).data(), static_cast<int>(common_name.size()),
                                 -1, 0) != 1) {
    return OpensslError(StatusCode::kInvalidArgument,
                        absl::StrCat("common name \"", common_name, "\""));
  }
  return Status();
}

Status SetDates(X509* made, const CertificateTemplate& what) {
  if (what.not_after <= what.not_before) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("certificate would end (", absl::FormatTime(what.not_after),
                               ") before it begins (", absl::FormatTime(what.not_before), ")"));
  }
  if (ASN1_TIME_set(X509_getm_notBefore(made), absl::ToTimeT(what.not_before)) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(made), absl::ToTimeT(what.not_after)) == nullptr) {
    return OpensslError(StatusCode::kInvalidArgument, "dates");
  }
  return Status();
}

// `value` is one of this file's own constants: OpenSSL would read configuration out of others.
Status AddExtension(X509* made, const Signer& signer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, signer.certificate != nullptr ? signer.certificate->get() : made, made,
                 nullptr, nullptr, 0);
  const ExtensionPointer extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  if (extension == nullptr || X509_add_ext(made, extension.get(), -1) != 1) {
    return OpensslError(StatusCode::kInternal, absl::StrCat("extension ", OBJ_nid2sn(nid)));
  }
  return Status();
}

Status AddUses(X509* made, const Signer& signer, const CertificateTemplate& what) {
  if (what.is_ca) {
    FED_RETURN_IF_ERROR(AddExtension(made, signer, NID_basic_constraints,
                                     absl::StrCat("critical,CA:TRUE,pathlen:", what.path_length)));
    return AddExtension(made, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  FED_RETURN_IF_ERROR(AddExtension(made, signer, NID_basic_constraints, "critical,CA:FALSE"));
  FED_RETURN_IF_ERROR(AddExtension(made, signer, NID_key_usage, "critical,digitalSignature"));
  std::string uses;
  if (what.server_auth) uses = "serverAuth";
  if (what.client_auth) absl::StrAppend(&uses, uses.empty() ? "" : ",", "clientAuth");
  return uses.empty() ? Status() : AddExtension(made, signer, NID_ext_key_usage, uses);
}

NamePointer TextName(int type, const std::string& text) {
  NamePointer name(GENERAL_NAME_new());
  TextPointer value(ASN1_IA5STRING_new());
  FED_CHECK(name != nullptr && value != nullptr);
  FED_CHECK(ASN1_STRING_set(value.get(), text.data(), static_cast<int>(text.size())) == 1);
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  return name;
}

// Null if it is not an address.
NamePointer AddressName(const std::string& address) {
  OctetsPointer value(a2i_IPADDRESS(address.c_str()));
  if (value == nullptr) return nullptr;
  NamePointer name(GENERAL_NAME_new());
  FED_CHECK(name != nullptr);
  GENERAL_NAME_set0_value(name.get(), GEN_IPADD, value.release());
  return name;
}

void Push(GENERAL_NAMES* names, NamePointer name) {
  FED_CHECK(sk_GENERAL_NAME_push(names, name.get()) > 0);
  name.release();  // NOLINT: the stack owns it now
}

Status AddAlternativeNames(X509* made, const CertificateTemplate& what) {
  const NamesPointer names(sk_GENERAL_NAME_new_null());
  FED_CHECK(names != nullptr);
  if (!what.uri.empty()) Push(names.get(), TextName(GEN_URI, what.uri));
  for (const std::string& dns : what.dns_names) Push(names.get(), TextName(GEN_DNS, dns));
  for (const std::string& ip : what.ip_addresses) {
    NamePointer name = AddressName(ip);
    if (name == nullptr) {
      return OpensslError(StatusCode::kInvalidArgument, absl::StrCat("IP address \"", ip, "\""));
    }
    Push(names.get(), std::move(name));
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return Status();
  if (X509_add1_ext_i2d(made, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return OpensslError(StatusCode::kInternal, "alternative names");
  }
  return Status();
}

StatusOr<Certificate> Make(const Signer& signer, const PublicKey& subject,
                           const CertificateTemplate& what) {
  ForgetOpensslErrors();
  CertificatePointer made(X509_new());
  FED_CHECK(made != nullptr);
  FED_CHECK(X509_set_version(made.get(), X509_VERSION_3) == 1);
  FED_RETURN_IF_ERROR(SetSerial(made.get()));
  FED_RETURN_IF_ERROR(SetSubject(made.get(), what.common_name));
  FED_RETURN_IF_ERROR(SetDates(made.get(), what));
  FED_CHECK(X509_set_pubkey(made.get(), subject.get()) == 1);
  const X509* issuer = signer.certificate != nullptr ? signer.certificate->get() : made.get();
  FED_CHECK(X509_set_issuer_name(made.get(), X509_get_subject_name(issuer)) == 1);
  FED_RETURN_IF_ERROR(AddUses(made.get(), signer, what));
  FED_RETURN_IF_ERROR(AddExtension(made.get(), signer, NID_subject_key_identifier, "hash"));
  FED_RETURN_IF_ERROR(AddExtension(made.get(), signer, NID_authority_key_identifier, "keyid"));
  FED_RETURN_IF_ERROR(AddAlternativeNames(made.get(), what));
  const EVP_MD* digest = signer.key.kind() == KeyKind::kP256 ? EVP_sha256() : nullptr;
  if (X509_sign(made.get(), signer.key.get(), digest) <= 0) {
    return OpensslError(StatusCode::kInternal, "sign a certificate");
  }
  return Certificate(std::move(made));
}

}  // namespace

StatusOr<Certificate> IssueRoot(const PrivateKey& key, const CertificateTemplate& what) {
  return Make(Signer{nullptr, key}, key.public_key(), what);
}

StatusOr<Certificate> IssueCertificate(const Certificate& issuer, const PrivateKey& issuer_key,
                                       const PublicKey& subject, const CertificateTemplate& what) {
  if (!issuer.FitsKey(issuer_key)) {
    return Status(StatusCode::kInvalidArgument, "the issuer's key does not fit its certificate");
  }
  return Make(Signer{&issuer, issuer_key}, subject, what);
}

}  // namespace fed
