// Who stands behind an enrollment server: looked up before anything is said to it.
#ifndef FED_CLIENT_SDK_TRANSPORT_ROOT_PROBE_H_
#define FED_CLIENT_SDK_TRANSPORT_ROOT_PROBE_H_

#include <string>

#include "absl/time/time.h"
#include "fed/status.h"

namespace fed::client {

// A TLS 1.3 handshake with `server` ("host:port"), after which the connection is closed: of the
// certificates that it presents, the one with this fingerprint (SHA-256 of the DER, hex), as PEM.
// That the server's own certificate leads to it is checked by whoever then connects with it as the
// root. Blocks, for at most `timeout` at each step. kFailedPrecondition: it presents no such
// certificate, so it is not whom the fingerprint's giver meant. kUnavailable: no handshake.
// kInvalidArgument: not "host:port".
StatusOr<std::string> FetchRoot(const std::string& server, const std::string& fingerprint,
                                absl::Duration timeout);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_ROOT_PROBE_H_
