// One listener: a grpc::Server with our limits, and nothing of gRPC's own that we did not ask for.
#ifndef FED_SERVER_RPC_GRPC_SERVER_H_
#define FED_SERVER_RPC_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "fed/status.h"
#include "grpcpp/server.h"
#include "server/security/tls_files.h"

namespace fed::server {

struct ListenOptions {
  std::string address;  // "host:port"; port 0: the kernel picks one
  TlsFiles tls;
  bool client_certificate = true;  // required and verified; false: enrollment
  bool reflection = false;
  int max_message_bytes = 4 << 20;
  int max_streams = 128;   // of one connection
  bool bdp_probe = false;  // more speed on long links for much more memory
};

// Serves until it is destroyed or Shutdown.
class GrpcServer {
 public:
  // `services` outlive it. kUnavailable: the address can't be had.
  static StatusOr<std::unique_ptr<GrpcServer>> Start(const ListenOptions& options,
                                                     const std::vector<grpc::Service*>& services);
  ~GrpcServer();

  // "host:port" with the port that was picked.
  const std::string& address() const { return address_; }

  // No new calls; those that run may end until `grace` has passed, then they are cancelled. Blocks.
  void Shutdown(absl::Duration grace);

 private:
  GrpcServer(std::unique_ptr<grpc::Server> server, std::string address)
      : server_(std::move(server)), address_(std::move(address)) {}

  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_GRPC_SERVER_H_
