// fed::Status as gRPC carries it: the codes are the same, so a status means the same in process and
// on the wire.
#ifndef FED_PROTO_WIRE_RPC_STATUS_H_
#define FED_PROTO_WIRE_RPC_STATUS_H_

#include "fed/status.h"
#include "grpcpp/support/status.h"

namespace fed::wire {

// Messages are cut at 2 KiB: they travel in a trailer.
grpc::Status ToGrpc(const Status& status);
Status FromGrpc(const grpc::Status& status);

}  // namespace fed::wire

#endif  // FED_PROTO_WIRE_RPC_STATUS_H_
