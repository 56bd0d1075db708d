// Enrollment tokens and certificates in SQLite.
#ifndef FED_SERVER_STORE_ENROLLMENT_ROWS_H_
#define FED_SERVER_STORE_ENROLLMENT_ROWS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class EnrollmentRows {
 public:
  explicit EnrollmentRows(Database& db) : db_(db) {}
  StatusOr<EnrollTokenRecord> FindToken(absl::string_view hash) const;
  StatusOr<std::vector<CertificateRecord>> CertificatesOf(const ClientId& client) const;
  // The one that is valid longest, if there are several.
  StatusOr<CertificateRecord> FindCertificate(absl::string_view token_hash,
                                              absl::string_view key_digest) const;
  Status PutToken(const EnrollTokenRecord& token);
  Status PutCertificate(const CertificateRecord& certificate);

 private:
  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_ENROLLMENT_ROWS_H_
