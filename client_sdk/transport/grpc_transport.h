// The transport that devices use: fed.v1 over gRPC and mutual TLS.
#ifndef FED_CLIENT_SDK_TRANSPORT_GRPC_TRANSPORT_H_
#define FED_CLIENT_SDK_TRANSPORT_GRPC_TRANSPORT_H_

#include <memory>

#include "absl/time/time.h"
#include "client_sdk/transport/transport.h"
#include "common/base/clock.h"

namespace fed::client {

struct GrpcTransportOptions {
  absl::Duration longest_idle = absl::Seconds(60);   // of a stream on which nothing moves
  absl::Duration unary_timeout = absl::Seconds(30);  // a poll has its hold and 10 s more
  int io_threads = 2;  // that read and write files for streams; shared by all transports
};

// Outlives its transports. Destroying a transport cancels its calls and waits for their callbacks,
// so it must not happen within one.
std::unique_ptr<TransportFactory> NewGrpcTransportFactory(const Clock& clock = Clock::Real(),
                                                          GrpcTransportOptions options = {});

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_GRPC_TRANSPORT_H_
