// TLS 1.3 and nothing older: asked for, and proved.
#ifndef FED_SERVER_SECURITY_TLS_POLICY_H_
#define FED_SERVER_SECURITY_TLS_POLICY_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "fed/status.h"

namespace fed::server {

// Switches every protocol before TLS 1.3 off for all of this process's TLS contexts made from now
// on, whatever the machine's openssl.cnf says. Called once, in main(), before gRPC is touched:
// gRPC 1.51 has no setter for it. kInternal: OpenSSL did not take it.
Status RequireTls13();

// Connects to "host:port", a listening port of this machine, twice, as a device without a
// certificate: OK if TLS 1.3 is answered by a certificate that leads to a root in `ca_pem`, and a
// TLS 1.2 hello is not answered. kFailedPrecondition: 1.2 is answered, or the certificate is not
// trusted. kUnavailable: nobody answers within `patience`. Blocks. REQUIRES: the process ignores
// SIGPIPE.
Status ProbeTls13Only(const std::string& address, absl::string_view ca_pem,
                      absl::Duration patience = absl::Seconds(5));

}  // namespace fed::server

#endif  // FED_SERVER_SECURITY_TLS_POLICY_H_
