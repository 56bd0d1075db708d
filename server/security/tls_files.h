// The server's own certificate, key and CA: read, and checked before they are served.
#ifndef FED_SERVER_SECURITY_TLS_FILES_H_
#define FED_SERVER_SECURITY_TLS_FILES_H_

#include <string>

#include "absl/time/time.h"
#include "common/base/file.h"
#include "fed/status.h"

namespace fed::server {

struct TlsPaths {
  std::string certificate;  // PEM: the server's own, then those between it and the root
  std::string key;          // PEM
  std::string ca;           // PEM: the roots that devices' certificates lead to
};

struct TlsFiles {
  std::string certificate_pem;
  std::string key_pem;
  std::string ca_pem;
  absl::Time not_after;  // of the server's own certificate
};

// kNotFound: a file is missing. kFailedPrecondition, naming file and date: the pair would be
// refused by every device (another's key, not from this CA, not for servers, expired, not yet
// valid).
StatusOr<TlsFiles> LoadTlsFiles(FileSystem& files, const TlsPaths& paths, absl::Time now);

}  // namespace fed::server

#endif  // FED_SERVER_SECURITY_TLS_FILES_H_
