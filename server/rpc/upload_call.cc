// One upload stream.
//
// A device sends `begin`; ingest says from where it wants the bytes, or how the update ended long
// ago; pieces follow; ingest says how it ended. At most two replies come from ingest, the second
// one last, and after it is written the stream is finished.
#include "server/rpc/upload_call.h"

#include <string>
#include <utility>
#include <variant>

#include "proto/wire/convert.h"

namespace fed::server {

class UploadCall::CallReactor final : public UploadCall::Reactor {
 public:
  void OnReadDone(bool ok) override {
    if (state != nullptr) state->Read(ok);
  }
  void OnWriteDone(bool ok) override { state->Written(ok); }
  void OnCancel() override {
    if (state != nullptr) state->Stop(Status(StatusCode::kCancelled, "the caller went away"));
  }
  void OnDone() override {
    if (state != nullptr) state->Over();
    delete this;  // NOLINT: owns itself
  }

  std::shared_ptr<UploadCall> state;
};

UploadCall::UploadCall(CallReactor* reactor, const TransferParts& parts, const Caller& caller)
    : line_(reactor), parts_(parts), caller_(caller) {}

UploadCall::Reactor* UploadCall::Start(const TransferParts& parts, const Caller& caller) {
  auto* const reactor = new CallReactor;  // NOLINT: owns itself until OnDone
  auto state = std::shared_ptr<UploadCall>(new UploadCall(reactor, parts, caller));
  reactor->state = state;
  const std::weak_ptr<UploadCall> weak = state;
  const auto end = [weak](const Status& why) {
    if (const auto alive = weak.lock()) alive->Stop(why);
  };
  state->registration_ = parts.live.Add(caller.id, end);
  state->idle_ =
      std::make_unique<IdleTimer>(parts.executor, parts.clock, parts.options.idle_timeout, [end] {
        end(Status(StatusCode::kDeadlineExceeded,
                   "nothing came on this stream for too long; open it again to go on from the "
                   "offset that is then named"));
      });
  reactor->StartRead(&state->request_);
  return reactor;
}

UploadCall::Reactor* UploadCall::Refuse(const Status& status) {
  auto* const reactor = new CallReactor;  // NOLINT: owns itself until OnDone
  reactor->Finish(wire::ToGrpc(status));
  return reactor;
}

void UploadCall::Read(bool ok) {
  std::shared_ptr<Upload> upload;
  {
    MutexLock lock(mu_);
    reading_ = false;
    upload = upload_;
  }
  idle_->Touch();
  if (!ok) {  // the device has said all
    if (upload == nullptr) {
      Stop(Status(StatusCode::kInvalidArgument, "the stream ended without its `begin` message"));
    } else {
      upload->Finish();
    }
    return;
  }
  if (request_.has_begin() && upload == nullptr) {
    TakeBegin(request_.begin());
  } else if (request_.has_piece() && upload != nullptr) {
    TakePiece(*request_.mutable_piece());
  } else {
    Stop(Status(StatusCode::kInvalidArgument,
                "an upload is one `begin` message and then `piece` messages"));
  }
}

void UploadCall::TakeBegin(const v1::UploadBegin& begin) {
  StatusOr<wire::UploadBegin> decoded = wire::Decode(begin);
  if (!decoded.ok()) {
    Stop(decoded.status());
    return;
  }
  auto upload = parts_.intake.Begin(caller_, *decoded,
                                    [self = shared_from_this()](StatusOr<wire::UploadReply> reply) {
                                      self->Reply(std::move(reply));
                                    });
  {
    MutexLock lock(mu_);
    upload_ = std::move(upload);
  }
  ReadMore();
}

void UploadCall::TakePiece(v1::UploadPiece& piece) {
  const auto bytes = static_cast<std::int64_t>(piece.data().size());
  std::shared_ptr<Upload> upload;
  {
    MutexLock lock(mu_);
    waiting_bytes_ += bytes;
    upload = upload_;
  }
  upload->Append(piece.offset(), std::move(*piece.mutable_data()),
                 [self = shared_from_this(), bytes] { self->Consumed(bytes); });
  ReadMore();
}

void UploadCall::Consumed(std::int64_t bytes) {
  {
    MutexLock lock(mu_);
    waiting_bytes_ -= bytes;
  }
  ReadMore();
}

void UploadCall::ReadMore() {
  {
    MutexLock lock(mu_);
    if (reading_ || last_ || waiting_bytes_ >= parts_.options.queue_bytes) return;
    reading_ = true;
  }
  line_.With([this](CallReactor& reactor) { reactor.StartRead(&request_); });
}

void UploadCall::Reply(StatusOr<wire::UploadReply> reply) {
  if (!reply.ok()) {
    line_.Finish(reply.status());
    return;
  }
  v1::UploadReply message;
  wire::Encode(*reply, message);
  {
    MutexLock lock(mu_);
    last_ = last_ || !std::holds_alternative<wire::UploadProceed>(*reply);
    if (writing_) {
      next_ = std::move(message);
      return;
    }
    writing_ = true;
    reply_ = std::move(message);
  }
  line_.With([this](CallReactor& reactor) { reactor.StartWrite(&reply_); });
}

void UploadCall::Written(bool ok) {
  if (!ok) {
    Stop(Status(StatusCode::kCancelled, "the caller went away"));
    return;
  }
  bool next = false, over = false;  // of this write: once it has ended, Reply may begin another
  {
    MutexLock lock(mu_);
    next = writing_ = next_.has_value();
    if (next) reply_ = *std::exchange(next_, std::nullopt);
    over = !next && last_;
  }
  if (over) {
    line_.Finish(Status());
  } else if (next) {
    line_.With([this](CallReactor& reactor) { reactor.StartWrite(&reply_); });
  }
}

void UploadCall::Stop(const Status& why) {
  std::shared_ptr<Upload> upload;
  {
    MutexLock lock(mu_);
    upload = upload_;
  }
  if (line_.Finish(why) && upload != nullptr) upload->Cancel();
}

void UploadCall::Over() {
  registration_.reset();
  idle_.reset();
  std::shared_ptr<Upload> upload;
  {
    MutexLock lock(mu_);
    upload = std::move(upload_);
  }
  if (upload != nullptr) upload->Cancel();
}

}  // namespace fed::server
