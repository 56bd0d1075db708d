// Who calls, and whether they may: asked first by every RPC of every listener.
#ifndef FED_SERVER_RPC_CALLER_H_
#define FED_SERVER_RPC_CALLER_H_

#include <string>

#include "absl/strings/string_view.h"
#include "fed/status.h"
#include "grpcpp/server_context.h"
#include "server/security/access.h"
#include "server/security/revocations.h"

namespace fed::server {

// One a listener. Thread-safe; what it refers to outlives it.
class Doorkeeper {
 public:
  Doorkeeper(Listener listener, std::string trust_domain, const Revocations& revocations)
      : listener_(listener), trust_domain_(std::move(trust_domain)), revocations_(revocations) {}

  // The identity in the client certificate that TLS has verified, if it may call `method`
  // ("/fed.v1.Participate/CheckIn"). kUnauthenticated: no or a strange certificate, or a resumed
  // session (which skips the certificate's checks). kPermissionDenied: revoked, or not for this
  // role.
  StatusOr<Caller> Admit(const grpc::ServerContextBase& context, absl::string_view method) const;

 private:
  Listener listener_;
  std::string trust_domain_;
  const Revocations& revocations_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_CALLER_H_
