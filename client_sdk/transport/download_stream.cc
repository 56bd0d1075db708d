// Reads one piece, hands it to `io`, and reads the next when that one is done with: a slow disk
// slows the server down through HTTP/2's flow control, and one piece is in memory.
#include <utility>

#include "client_sdk/transport/idle_watch.h"
#include "client_sdk/transport/streams.h"
#include "common/base/bytes.h"
#include "proto/wire/convert.h"

namespace fed::client {
namespace {

// Owns itself until OnDone; gRPC and `io` point at it.
class DownloadStream final : public grpc::ClientReadReactor<v1::DownloadPiece> {
 public:
  DownloadStream(const StreamContext& context, DownloadSink sink, std::function<void(Status)> done)
      : entry_(context.calls), io_(context.io), sink_(std::move(sink)), done_(std::move(done)) {
    rpc_ = std::make_shared<grpc::ClientContext>();
    watch_ = std::make_shared<IdleWatch>(context.io, context.clock, rpc_, context.longest_idle);
  }

  static std::weak_ptr<grpc::ClientContext> Start(const StreamContext& context,
                                                  const wire::DownloadRequest& request,
                                                  std::shared_ptr<DownloadStream> stream) {
    auto& it = *stream;
    const auto rpc = it.rpc_;  // it ends on another thread
    it.self_ = std::move(stream);
    wire::Encode(request, it.request_);
    it.entry_.SetContext(rpc);
    it.watch_->Start();
    context.stub.async()->Download(rpc.get(), &it.request_, &it);
    it.AddHold();  // reads are begun from `io` too
    it.StartRead(&it.piece_);
    it.StartCall();  // from here on it may be gone
    return rpc;
  }

  void OnReadDone(bool ok) override {
    if (!ok) return RemoveHold();
    watch_->Moved();
    io_.Post([this] {
      sunk_ = sink_(piece_.offset(), AsBytes(piece_.data()));
      if (sunk_.ok()) return StartRead(&piece_);
      rpc_->TryCancel();
      RemoveHold();
    });
  }

  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    done_(Result(status));
  }

 private:
  Status Result(const grpc::Status& status) const {
    if (!sunk_.ok()) return sunk_;
    if (watch_->expired()) {
      return Status(StatusCode::kDeadlineExceeded, "download: nothing came for too long");
    }
    return wire::FromGrpc(status);
  }

  OpenCalls::Entry entry_;
  Executor& io_;
  const DownloadSink sink_;
  const std::function<void(Status)> done_;
  std::shared_ptr<grpc::ClientContext> rpc_;
  std::shared_ptr<IdleWatch> watch_;
  std::shared_ptr<DownloadStream> self_;
  v1::DownloadRequest request_;
  v1::DownloadPiece piece_;
  Status sunk_;
};

}  // namespace

std::unique_ptr<Call> StartDownload(const StreamContext& context,
                                    const wire::DownloadRequest& request, DownloadSink sink,
                                    std::function<void(Status)> done) {
  return NewCall(DownloadStream::Start(
      context, request,
      std::make_shared<DownloadStream>(context, std::move(sink), std::move(done))));
}

}  // namespace fed::client
