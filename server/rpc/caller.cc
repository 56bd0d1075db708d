// Reads the caller's identity from the connection's authentication context.
#include "server/rpc/caller.h"

#include <vector>

#include "absl/strings/str_cat.h"

namespace fed::server {
namespace {

Status Unauthenticated(absl::string_view message) {
  return Status(StatusCode::kUnauthenticated, std::string(message));
}

}  // namespace

StatusOr<Caller> Doorkeeper::Admit(const grpc::ServerContextBase& context,
                                   absl::string_view method) const {
  const std::shared_ptr<const grpc::AuthContext> auth = context.auth_context();
  if (auth == nullptr || !auth->IsPeerAuthenticated()) {
    return Unauthenticated("this listener wants a client certificate; enroll first");
  }
  for (const grpc::string_ref& reused : auth->FindPropertyValues("ssl_session_reused")) {
    if (reused == "true") {
      return Unauthenticated("resumed TLS sessions are not taken; connect with a full handshake");
    }
  }
  const std::vector<grpc::string_ref> uris = auth->FindPropertyValues("peer_uri");
  if (uris.size() != 1) {
    return Unauthenticated(
        absl::StrCat("the client certificate has ", uris.size(), " URI names; expected one"));
  }
  FED_ASSIGN_OR_RETURN(
      Caller caller,
      ParseIdentity(absl::string_view(uris[0].data(), uris[0].size()), trust_domain_));
  FED_RETURN_IF_ERROR(MayCall(listener_, method, &caller));
  if (revocations_.IsRevoked(caller.id)) {
    return Status(StatusCode::kPermissionDenied,
                  "this identity is revoked; it has to enroll again with a new token");
  }
  return caller;
}

}  // namespace fed::server
