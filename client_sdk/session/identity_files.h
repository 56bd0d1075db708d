// A device's key, certificate and root on disk; a new pair replaces the old one as a whole.
#ifndef FED_CLIENT_SDK_SESSION_IDENTITY_FILES_H_
#define FED_CLIENT_SDK_SESSION_IDENTITY_FILES_H_

#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "client_sdk/transport/transport.h"
#include "common/base/file.h"
#include "common/crypto/key.h"
#include "fed/status.h"

namespace fed::client {

// In one folder: key.pem, cert.pem (the certificate, then those between it and the root), root.pem;
// while the next pair comes, next_key.pem and next_cert.pem. A key is on disk before anyone is
// asked for its certificate, so that a lost answer is asked for again with the same key.
// next_cert.pem is the point of no return: from then on Load finishes the swap. Blocks; not
// thread-safe.
class IdentityFiles {
 public:
  IdentityFiles(FileSystem& files, std::string folder)
      : files_(files), folder_(std::move(folder)) {}

  // Absent: not enrolled yet.
  StatusOr<std::optional<Credentials>> Load();

  // The key to enroll with, made at the first call.
  StatusOr<PrivateKey> EnrollKey() { return KeyIn("key.pem"); }
  Status StoreEnrolled(const Enrolled& enrolled);

  // The key to renew with, made at the first call after a renewal.
  StatusOr<PrivateKey> NextKey() { return KeyIn("next_key.pem"); }
  Status StoreRenewed(absl::string_view certificate_chain);

  std::string PathOf(absl::string_view name) const { return JoinPath(folder_, name); }

 private:
  StatusOr<PrivateKey> KeyIn(absl::string_view name);
  Status FinishSwap();
  StatusOr<std::optional<std::string>> Read(absl::string_view name);

  FileSystem& files_;
  const std::string folder_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_IDENTITY_FILES_H_
