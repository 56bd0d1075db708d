// Enrollment tokens and certificates in SQLite.
#include "server/store/enrollment_rows.h"

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

// Stored as numbers, here and of clients: append only.
static_assert(static_cast<int>(Role::kClient) == 0 && static_cast<int>(Role::kEvaluator) == 1 &&
              static_cast<int>(Role::kLeaf) == 2 && static_cast<int>(Role::kOperator) == 3 &&
              static_cast<int>(Role::kViewer) == 4);

EnrollTokenRecord TokenRow(const Query& query) {
  EnrollTokenRecord token;
  query.Get(token.hash, token.role, token.uses_left, token.expires_at, token.ids_from_names);
  return token;
}

CertificateRecord CertificateRow(const Query& query) {
  CertificateRecord certificate;
  query.Get(certificate.serial, certificate.client, certificate.key_digest, certificate.token_hash,
            certificate.der, certificate.not_after);
  return certificate;
}

}  // namespace

StatusOr<EnrollTokenRecord> EnrollmentRows::FindToken(absl::string_view hash) const {
  Query query(db_, R"sql(
    SELECT hash, role, uses_left, expires_at, ids_from_names
    FROM enroll_tokens WHERE hash = ?1)sql");
  FED_ASSIGN_OR_RETURN(EnrollTokenRecord token,
                       OneRow(query.Bind(hash), TokenRow, NoEnrollToken()));
  Query labels(db_, "SELECT name, value FROM enroll_token_labels WHERE hash = ?1");
  FED_ASSIGN_OR_RETURN(token.labels, NamedValues<Labels>(labels.Bind(hash)));
  return token;
}

StatusOr<std::vector<CertificateRecord>> EnrollmentRows::CertificatesOf(
    const ClientId& client) const {
  Query query(db_, R"sql(
    SELECT serial, client, key_digest, token_hash, der, not_after
    FROM certificates WHERE client = ?1 ORDER BY serial)sql");
  return AllRows(query.Bind(client), CertificateRow);
}

StatusOr<CertificateRecord> EnrollmentRows::FindCertificate(absl::string_view token_hash,
                                                            absl::string_view key_digest) const {
  Query query(db_, R"sql(
    SELECT serial, client, key_digest, token_hash, der, not_after
    FROM certificates WHERE token_hash = ?1 AND key_digest = ?2
    ORDER BY not_after DESC, serial DESC LIMIT 1)sql");
  return OneRow(query.Bind(token_hash, key_digest), CertificateRow, NoCertificate());
}

Status EnrollmentRows::PutToken(const EnrollTokenRecord& token) {
  {
    Query query(db_, R"sql(
      INSERT INTO enroll_tokens (hash, role, uses_left, expires_at, ids_from_names)
      VALUES (?1, ?2, ?3, ?4, ?5)
      ON CONFLICT (hash) DO UPDATE
      SET role = ?2, uses_left = ?3, expires_at = ?4, ids_from_names = ?5)sql");
    query.Bind(token.hash, token.role, token.uses_left, token.expires_at, token.ids_from_names);
    FED_RETURN_IF_ERROR(query.Run());
  }
  {
    Query query(db_, "DELETE FROM enroll_token_labels WHERE hash = ?1");
    FED_RETURN_IF_ERROR(query.Bind(token.hash).Run());
  }
  for (const auto& [name, value] : token.labels) {
    Query query(db_, "INSERT INTO enroll_token_labels (hash, name, value) VALUES (?1, ?2, ?3)");
    FED_RETURN_IF_ERROR(query.Bind(token.hash, name, value).Run());
  }
  return Status();
}

Status EnrollmentRows::PutCertificate(const CertificateRecord& certificate) {
  Query query(db_, R"sql(
    INSERT INTO certificates (serial, client, key_digest, token_hash, der, not_after)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (serial) DO UPDATE SET
      client = ?2, key_digest = ?3, token_hash = ?4, der = ?5, not_after = ?6)sql");
  return query
      .Bind(certificate.serial, certificate.client, certificate.key_digest, certificate.token_hash,
            Blob{certificate.der}, certificate.not_after)
      .Run();
}

}  // namespace fed::server
