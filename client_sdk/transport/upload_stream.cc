// begin -> proceed -> pieces -> the answer. Two pieces are in memory: one on its way, one read from
// the outbox meanwhile.
#include <algorithm>
#include <optional>
#include <utility>

#include "client_sdk/transport/idle_watch.h"
#include "client_sdk/transport/streams.h"
#include "common/base/limits.h"
#include "common/base/mutex.h"
#include "proto/wire/convert.h"

namespace fed::client {
namespace {

// Owns itself until OnDone; gRPC and `io` point at it. `io` reads one piece at a time.
class UploadStream final : public grpc::ClientBidiReactor<v1::UploadRequest, v1::UploadReply> {
 public:
  using Done = std::function<void(StatusOr<wire::UploadReply>)>;

  UploadStream(const StreamContext& context, OutgoingUpdate update, Done done)
      : entry_(context.calls),
        io_(context.io),
        update_(std::move(update)),
        done_(std::move(done)),
        rpc_(std::make_shared<grpc::ClientContext>()),
        watch_(std::make_shared<IdleWatch>(context.io, context.clock, rpc_, context.longest_idle)) {
  }

  static std::weak_ptr<grpc::ClientContext> Start(const StreamContext& context,
                                                  std::shared_ptr<UploadStream> stream) {
    auto& it = *stream;
    const auto rpc = it.rpc_;  // it ends on another thread
    it.self_ = std::move(stream);
    it.entry_.SetContext(rpc);
    it.watch_->Start();
    context.stub.async()->Upload(rpc.get(), &it);
    it.AddHold();  // writes are begun from `io` too
    wire::Encode(it.update_.begin, *it.writing_.mutable_begin());
    {
      MutexLock lock(it.mu_);
      it.write_in_flight_ = true;
    }
    it.StartWrite(&it.writing_);
    it.StartRead(&it.reply_);
    it.StartCall();  // from here on it may be gone
    return rpc;
  }

  void OnReadDone(bool ok) override {
    watch_->Moved();
    if (!ok) return Close();
    StatusOr<wire::UploadReply> reply = wire::Decode(reply_);
    if (!reply.ok()) {  // not our update's fault: it must not be dropped for it
      reply = Status(StatusCode::kInternal, "the server's answer: " + reply.status().message());
    }
    const auto* proceed = reply.ok() ? std::get_if<wire::UploadProceed>(&*reply) : nullptr;
    if (proceed == nullptr) {
      answer_ = std::move(reply);
      if (!answer_->ok()) rpc_->TryCancel();
      return Close();
    }
    const Status good = Proceed(*proceed);
    if (!good.ok()) {
      answer_ = good;
      rpc_->TryCancel();
      return Close();
    }
    StartRead(&reply_);
  }

  void OnWriteDone(bool ok) override {
    watch_->Moved();
    bool read_on = false;
    {
      MutexLock lock(mu_);
      write_in_flight_ = false;
      if (!ok || closing_) return;
      if (nothing_to_send_) return StartWritesDone();
      if (!piece_ready_) return;
      read_on = WriteLocked();
    }
    if (read_on) ReadOn();
  }

  void OnDone(const grpc::Status& status) override {
    const auto self = std::move(self_);
    done_(Result(status));
  }

 private:
  Status Proceed(const wire::UploadProceed& proceed) {
    MutexLock lock(mu_);
    if (proceeding_ || proceed.offset < 0 || proceed.offset > update_.begin.total_bytes) {
      return Status(StatusCode::kInternal, "upload: the server asked for bytes that there are not");
    }
    proceeding_ = true;
    offset_ = proceed.offset;
    piece_bytes_ = std::clamp<std::int64_t>(proceed.piece_bytes, 1, kMaxPieceBytes);
    if (offset_ == update_.begin.total_bytes) {  // all is there: say so
      nothing_to_send_ = true;
      if (!write_in_flight_) StartWritesDone();
      return {};
    }
    reading_ = true;
    io_.Post([this] { ReadPiece(); });
    return {};
  }

  void ReadOn() {
    io_.Post([this] { ReadPiece(); });
  }

  // On `io`, with reading_ set.
  void ReadPiece() {
    StatusOr<std::string> bytes = update_.read(offset_, piece_bytes_);
    bool read_on = false, release = false;
    {
      MutexLock lock(mu_);
      if (!bytes.ok() || bytes->empty()) {
        unreadable_ = bytes.ok() ? Status(StatusCode::kDataLoss, "upload: the update is cut off")
                                 : bytes.status();
        closing_ = true;
        rpc_->TryCancel();
      } else {
        next_.mutable_piece()->set_offset(offset_);
        offset_ += static_cast<std::int64_t>(bytes->size());
        next_.mutable_piece()->set_data(*std::move(bytes));
        piece_ready_ = true;
      }
      reading_ = false;
      if (!closing_ && !write_in_flight_) read_on = WriteLocked();
      release = TakeReleaseLocked();
    }
    if (read_on) ReadOn();
    if (release) RemoveHold();
  }

  // Sends the piece that is ready; whether another one is to be read.
  bool WriteLocked() FED_REQUIRES(mu_) {
    writing_.Swap(&next_);
    piece_ready_ = false;
    write_in_flight_ = true;
    const bool last = offset_ == update_.begin.total_bytes;
    reading_ = !last;
    StartWrite(&writing_, last ? grpc::WriteOptions().set_last_message() : grpc::WriteOptions());
    return reading_;
  }

  // No more is sent: the server has said all, or is gone.
  void Close() {
    bool release = false;
    {
      MutexLock lock(mu_);
      closing_ = true;
      closed_ = true;
      release = TakeReleaseLocked();
    }
    if (release) RemoveHold();
  }

  // The hold goes when reads are over and `io` is not at work.
  bool TakeReleaseLocked() FED_REQUIRES(mu_) {
    return closed_ && !reading_ && !std::exchange(released_, true);
  }

  StatusOr<wire::UploadReply> Result(const grpc::Status& status) {
    MutexLock lock(mu_);
    if (answer_) return *answer_;
    if (!unreadable_.ok()) return unreadable_;
    if (watch_->expired()) {
      return Status(StatusCode::kDeadlineExceeded, "upload: nothing moved for too long");
    }
    if (status.ok()) {
      return Status(StatusCode::kUnavailable, "upload: the server ended it without an answer");
    }
    return wire::FromGrpc(status);
  }

  OpenCalls::Entry entry_;
  Executor& io_;
  const OutgoingUpdate update_;
  const Done done_;
  const std::shared_ptr<grpc::ClientContext> rpc_;
  const std::shared_ptr<IdleWatch> watch_;
  std::shared_ptr<UploadStream> self_;
  v1::UploadReply reply_;
  std::optional<StatusOr<wire::UploadReply>> answer_;  // of reads, which are one after the other

  Mutex mu_;
  v1::UploadRequest writing_, next_;  // gRPC's; `io`'s
  std::int64_t offset_ = 0;           // of the next piece that is read: `io`'s once proceeding
  std::int64_t piece_bytes_ = 0;
  bool proceeding_ FED_GUARDED_BY(mu_) = false;
  bool nothing_to_send_ FED_GUARDED_BY(mu_) = false;
  bool reading_ FED_GUARDED_BY(mu_) = false;  // `io` has been asked for the next piece
  bool piece_ready_ FED_GUARDED_BY(mu_) = false;
  bool write_in_flight_ FED_GUARDED_BY(mu_) = false;
  bool closing_ FED_GUARDED_BY(mu_) = false;  // nothing more is written
  bool closed_ FED_GUARDED_BY(mu_) = false;   // nothing more is read
  bool released_ FED_GUARDED_BY(mu_) = false;
  Status unreadable_ FED_GUARDED_BY(mu_);
};

}  // namespace

std::unique_ptr<Call> StartUpload(const StreamContext& context, OutgoingUpdate update,
                                  std::function<void(StatusOr<wire::UploadReply>)> done) {
  return NewCall(UploadStream::Start(
      context, std::make_shared<UploadStream>(context, std::move(update), std::move(done))));
}

}  // namespace fed::client
