// One upload stream: hands what comes to ingest and passes its replies on.
#ifndef FED_SERVER_RPC_UPLOAD_CALL_H_
#define FED_SERVER_RPC_UPLOAD_CALL_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "common/base/mutex.h"
#include "fed/v1/transfer.pb.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/idle_timer.h"
#include "server/rpc/stream_line.h"
#include "server/rpc/transfer_service.h"

namespace fed::server {

// The stream's state, shared by its reactor and ingest's callbacks. Reads the next message only
// while fewer than queue_bytes wait to be taken in, so that a device is slowed down by flow control
// and never by our memory.
class UploadCall : public std::enable_shared_from_this<UploadCall> {
 public:
  using Reactor = grpc::ServerBidiReactor<v1::UploadRequest, v1::UploadReply>;

  static Reactor* Start(const TransferParts& parts, const Caller& caller);
  static Reactor* Refuse(const Status& status);

 private:
  class CallReactor;

  UploadCall(CallReactor* reactor, const TransferParts& parts, const Caller& caller);

  void Read(bool ok);
  void TakeBegin(const v1::UploadBegin& begin);
  void TakePiece(v1::UploadPiece& piece);
  void Consumed(std::int64_t bytes);
  void ReadMore();
  void Reply(StatusOr<wire::UploadReply> reply);
  void Written(bool ok);
  void Stop(const Status& why);
  void Over();

  StreamLine<CallReactor> line_;
  const TransferParts& parts_;
  const Caller caller_;
  std::unique_ptr<LiveCalls::Registration> registration_;
  std::unique_ptr<IdleTimer> idle_;
  v1::UploadRequest request_;  // written by gRPC while a read is on its way

  Mutex mu_;
  std::shared_ptr<Upload> upload_ FED_GUARDED_BY(mu_);
  std::int64_t waiting_bytes_ FED_GUARDED_BY(mu_) = 0;  // handed to ingest, not yet taken in
  bool reading_ FED_GUARDED_BY(mu_) = true;
  bool writing_ FED_GUARDED_BY(mu_) = false;
  bool last_ FED_GUARDED_BY(mu_) = false;  // the reply that ends the stream has come
  std::optional<v1::UploadReply> next_ FED_GUARDED_BY(mu_);  // waits for the one being written
  v1::UploadReply reply_;  // read by gRPC while a write is on its way
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_UPLOAD_CALL_H_
