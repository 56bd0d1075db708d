// Tokens, first certificates and further ones.
//
// Invariants:
//  1. A token is used at most as often as it says: the use and what it paid for are one
//  transaction.
//  2. Keys, ids and certificates are made outside transactions, whose bodies may run again.
//  3. Whoever is revoked gets no further certificate.
#include "server/security/enrollment.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "common/crypto/enroll_token.h"

namespace fed::server {
namespace {

// One message for all causes: nobody learns from it which tokens exist.
Status BadToken() {
  return Status(StatusCode::kUnauthenticated,
                "enrollment token is unknown, used up or expired: ask the operator for a new one "
                "(fedctl enroll-token)");
}

Status IsRevoked(const ClientId& id) {
  return Status(StatusCode::kPermissionDenied, absl::StrCat("client ", id.value, " is revoked"));
}

Status IsTaken(const ClientId& id) {
  return Status(StatusCode::kAlreadyExists,
                absl::StrCat("a client with the id '", id.value,
                             "' has enrolled before, with another key; give this device another "
                             "name, or its old state folder"));
}

Status CheckLabels(const Labels& labels) {
  if (labels.size() > static_cast<std::size_t>(kMaxLabels)) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat(labels.size(), " labels: at most ", kMaxLabels));
  }
  for (const auto& [name, value] : labels) {
    if (name.empty() || name.size() > static_cast<std::size_t>(kMaxNameBytes) ||
        value.size() > static_cast<std::size_t>(kMaxNameBytes)) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("label of ", name.size(), " + ", value.size(),
                                 " bytes: name and value may have ", kMaxNameBytes,
                                 " each, and the name must not be empty"));
    }
  }
  return Status();
}

Status CheckName(const std::string& name) {
  if (name.size() <= kMaxClientNameBytes) return Status();
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("name of ", name.size(), " bytes: at most ", kMaxClientNameBytes));
}

bool IsUsable(const EnrollTokenRecord& token, absl::Time now) {
  return token.uses_left > 0 && now < token.expires_at;
}

CertificateRecord RecordOf(const Certificate& certificate, const ClientId& client, const Csr& csr,
                           const std::string& token_hash) {
  return CertificateRecord{.serial = certificate.serial(),
                           .client = client,
                           .key_digest = csr.public_key().digest().ToHex(),
                           .token_hash = token_hash,
                           .der = certificate.ToDer(),
                           .not_after = certificate.not_after()};
}

ClientRecord NewClient(const Caller& caller, absl::Time now) {
  ClientRecord client;
  client.id = caller.id;
  client.role = caller.role;
  client.enrolled_at = now;
  client.first_seen = absl::InfinitePast();
  client.last_seen = absl::InfinitePast();
  return client;
}

// What was given for this token and key before; kNotFound: nothing.
StatusOr<CertificateRecord> GivenBefore(const StoreView& view, const std::string& token_hash,
                                        const Csr& csr) {
  FED_ASSIGN_OR_RETURN(CertificateRecord given,
                       view.CertificateOf(token_hash, csr.public_key().digest().ToHex()));
  FED_ASSIGN_OR_RETURN(const ClientRecord client, view.Client(given.client));
  if (client.revoked) return IsRevoked(client.id);
  return given;
}

StatusOr<EnrollTokenRecord> UsableToken(const StoreView& view, const std::string& hash,
                                        absl::Time now) {
  StatusOr<EnrollTokenRecord> token = view.EnrollToken(hash);
  if (!token.ok() && token.status().code() != StatusCode::kNotFound) return token;
  if (!token.ok() || !IsUsable(*token, now)) return BadToken();
  return token;
}

// One use of a token, and all that it pays for.
struct Purchase {
  std::string token_hash;
  const Csr& csr;
  ClientRecord client;
  CertificateRecord certificate;
};

// `given` receives the certificate that counts: an earlier one, or the new one.
Status WritePurchase(StoreEdit& edit, const Purchase& purchase, absl::Time now,
                     CertificateRecord& given) {
  StatusOr<CertificateRecord> before = GivenBefore(edit, purchase.token_hash, purchase.csr);
  if (before.ok()) {
    given = *std::move(before);
    return Status();
  }
  if (before.status().code() != StatusCode::kNotFound) return before.status();
  FED_ASSIGN_OR_RETURN(EnrollTokenRecord token, UsableToken(edit, purchase.token_hash, now));
  token.uses_left -= 1;
  FED_RETURN_IF_ERROR(edit.PutEnrollToken(token));
  const StatusOr<ClientRecord> namesake = edit.Client(purchase.client.id);
  if (namesake.ok()) return IsTaken(purchase.client.id);
  if (namesake.status().code() != StatusCode::kNotFound) return namesake.status();
  FED_RETURN_IF_ERROR(edit.PutClient(purchase.client));
  FED_RETURN_IF_ERROR(edit.PutCertificate(purchase.certificate));
  given = purchase.certificate;
  return Status();
}

}  // namespace

StatusOr<std::string> Enrollment::CreateToken(const NewToken& token, absl::Time now) {
  if (token.uses < 1 || token.uses > kMaxTokenUses) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("token for ", token.uses, " uses: expected 1 to ", kMaxTokenUses));
  }
  if (token.life <= absl::ZeroDuration() || token.life > kMaxTokenLife) {
    return Status(
        StatusCode::kInvalidArgument,
        absl::StrCat("token that lives for ", absl::FormatDuration(token.life),
                     ": expected more than 0 and at most ", absl::FormatDuration(kMaxTokenLife)));
  }
  FED_RETURN_IF_ERROR(CheckLabels(token.labels));
  const EnrollToken made = EnrollToken::Make(authority_.root().fingerprint());
  const EnrollTokenRecord record{.hash = EnrollTokenHash(made.secret),
                                 .role = token.role,
                                 .labels = token.labels,
                                 .uses_left = token.uses,
                                 .expires_at = now + token.life,
                                 .ids_from_names = token.ids_from_names};
  FED_RETURN_IF_ERROR(
      store_.Write([&](StoreEdit& edit) -> Status { return edit.PutEnrollToken(record); }));
  return made.ToText();
}

StatusOr<Caller> Enrollment::CallerFor(const EnrollTokenRecord& token,
                                       const std::string& name) const {
  if (!token.ids_from_names) return Caller{NewClientId(), token.role};
  const std::string& domain = authority_.trust_domain();
  StatusOr<Caller> caller =
      ParseIdentity(IdentityUri({ClientId{name}, token.role}, domain), domain);
  if (caller.ok()) return caller;
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("with this token a device's name becomes its id: '", name,
                             "' can't, it needs letters, digits, dashes, dots and underscores"));
}

StatusOr<Admission> Enrollment::Enroll(const EnrollmentRequest& request, absl::Time now) {
  const std::string hash = EnrollTokenHash(request.token_secret);
  EnrollTokenRecord token;
  // A token that does not exist costs a look-up: no signature is checked and nothing is signed.
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    StatusOr<EnrollTokenRecord> found = view.EnrollToken(hash);
    if (!found.ok()) {
      return found.status().code() == StatusCode::kNotFound ? BadToken() : found.status();
    }
    token = *std::move(found);
    return Status();
  }));
  FED_ASSIGN_OR_RETURN(const Csr csr, Csr::FromDer(request.csr));
  FED_RETURN_IF_ERROR(CheckName(request.name));
  FED_ASSIGN_OR_RETURN(const Caller caller, CallerFor(token, request.name));
  FED_ASSIGN_OR_RETURN(const Certificate certificate, authority_.IssueFor(caller, csr, now));
  Purchase purchase{.token_hash = hash,
                    .csr = csr,
                    .client = NewClient(caller, now),
                    .certificate = RecordOf(certificate, caller.id, csr, hash)};
  purchase.client.name = request.name;
  purchase.client.labels = token.labels;
  purchase.client.labels.insert(request.labels.begin(), request.labels.end());
  FED_RETURN_IF_ERROR(CheckLabels(purchase.client.labels));
  CertificateRecord given;
  FED_RETURN_IF_ERROR(store_.Write(
      [&](StoreEdit& edit) -> Status { return WritePurchase(edit, purchase, now, given); }));
  return Admit(Caller{given.client, token.role}, std::move(given.der));
}

StatusOr<Admission> Enrollment::Renew(const Caller& caller, absl::string_view csr, absl::Time now) {
  FED_ASSIGN_OR_RETURN(const Csr parsed, Csr::FromDer(csr));
  return GiveAnother(caller, parsed, /*must_be_known=*/false, now);
}

StatusOr<Admission> Enrollment::Reenroll(const ReenrollmentRequest& request, absl::Time now) {
  FED_ASSIGN_OR_RETURN(const Certificate old, Certificate::FromDer(request.expired_certificate));
  FED_RETURN_IF_ERROR(authority_.CheckIssued(old));
  FED_ASSIGN_OR_RETURN(const PublicKey old_key, old.public_key());
  FED_RETURN_IF_ERROR(old_key.Verify(request.csr, request.old_key_signature));
  FED_ASSIGN_OR_RETURN(const std::string uri, old.Uri());
  FED_ASSIGN_OR_RETURN(const Caller caller, ParseIdentity(uri, authority_.trust_domain()));
  if (now - old.not_after() > renew_grace_) {
    return Status(StatusCode::kPermissionDenied,
                  absl::StrCat("certificate of client ", caller.id.value, " expired on ",
                               absl::FormatTime("%Y-%m-%d", old.not_after(), absl::UTCTimeZone()),
                               ", more than ", absl::FormatDuration(renew_grace_),
                               " ago: enroll again with a new token"));
  }
  FED_ASSIGN_OR_RETURN(const Csr csr, Csr::FromDer(request.csr));
  return GiveAnother(caller, csr, /*must_be_known=*/true, now);
}

StatusOr<Admission> Enrollment::GiveAnother(const Caller& caller, const Csr& csr,
                                            bool must_be_known, absl::Time now) {
  FED_ASSIGN_OR_RETURN(const Certificate certificate, authority_.IssueFor(caller, csr, now));
  const CertificateRecord record = RecordOf(certificate, caller.id, csr, /*token_hash=*/"");
  FED_RETURN_IF_ERROR(store_.Write([&](StoreEdit& edit) -> Status {
    const StatusOr<ClientRecord> client = edit.Client(caller.id);
    if (client.ok() && client->revoked) return IsRevoked(caller.id);
    if (!client.ok()) {
      if (client.status().code() != StatusCode::kNotFound) return client.status();
      if (must_be_known) {
        return Status(StatusCode::kPermissionDenied,
                      absl::StrCat("client ", caller.id.value, " is not known here"));
      }
      FED_RETURN_IF_ERROR(edit.PutClient(NewClient(caller, now)));
    }
    return edit.PutCertificate(record);
  }));
  return Admit(caller, record.der);
}

Admission Enrollment::Admit(const Caller& caller, std::string certificate) const {
  return Admission{caller, std::move(certificate), authority_.ChainDer()};
}

}  // namespace fed::server
