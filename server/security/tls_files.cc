// Reads the three files and looks at them as a device would.
#include "server/security/tls_files.h"

#include <utility>

#include "common/crypto/certificate.h"
#include "common/crypto/own_certificate.h"

namespace fed::server {
namespace {

constexpr std::int64_t kMaxPemBytes = 256 << 10;

}  // namespace

StatusOr<TlsFiles> LoadTlsFiles(FileSystem& files, const TlsPaths& paths, absl::Time now) {
  FED_ASSIGN_OR_RETURN(std::string certificate, ReadFile(files, paths.certificate, kMaxPemBytes));
  FED_ASSIGN_OR_RETURN(std::string key, ReadFile(files, paths.key, kMaxPemBytes));
  FED_ASSIGN_OR_RETURN(std::string ca, ReadFile(files, paths.ca, kMaxPemBytes));
  FED_ASSIGN_OR_RETURN(const std::string advice,
                       CheckOwnCertificate({.certificate = {paths.certificate, certificate},
                                            .key = {paths.key, key},
                                            .ca = {paths.ca, ca},
                                            .use = ChainPolicy::Use::kServer},
                                           now));
  if (!advice.empty()) return Status(StatusCode::kFailedPrecondition, advice);
  FED_ASSIGN_OR_RETURN(const Certificate own, Certificate::FromPem(certificate));
  return TlsFiles{std::move(certificate), std::move(key), std::move(ca), own.not_after()};
}

}  // namespace fed::server
