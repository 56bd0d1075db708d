// fed::Status to grpc::Status and back.
#include "proto/wire/rpc_status.h"

namespace fed::wire {
namespace {

constexpr std::size_t kMaxMessageBytes = 2'048;

}  // namespace

grpc::Status ToGrpc(const Status& status) {
  if (status.ok()) return grpc::Status::OK;
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()),
                      status.message().substr(0, kMaxMessageBytes));
}

Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return Status();
  return Status(static_cast<StatusCode>(status.error_code()), status.error_message());
}

}  // namespace fed::wire
