// Sends parts of one file as a stream of messages, read off the gRPC threads.
#ifndef FED_SERVER_RPC_FILE_STREAM_H_
#define FED_SERVER_RPC_FILE_STREAM_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "common/base/executor.h"
#include "common/base/file.h"
#include "fed/status.h"
#include "grpcpp/support/server_callback.h"
#include "server/rpc/idle_timer.h"
#include "server/rpc/live_calls.h"
#include "server/rpc/stream_line.h"

namespace fed::server {

// What is sent. Made on the executor, since opening a file may block.
struct FileParts {
  struct Range {
    std::int64_t first = 0, end = 0;  // bytes in the file
  };
  std::shared_ptr<const File> file;
  std::vector<Range> ranges;
};

// Who a stream belongs to and how it is served. All of it outlives the stream.
struct FileStreamOptions {
  Executor& executor;
  const Clock& clock;
  LiveCalls& live;
  ClientId client;
  std::int64_t piece_bytes;
  absl::Duration idle_timeout;
};

// One message is on its way at a time; gRPC's flow control is the pace. `Piece` is the message.
template <typename Piece>
class FileStream : public std::enable_shared_from_this<FileStream<Piece>> {
 public:
  using Open = std::function<StatusOr<FileParts>()>;
  // Puts bytes of the file into a message; `offset` is where they stand in the file.
  using Fill = std::function<void(std::int64_t offset, std::string bytes, Piece& piece)>;

  // The reactor owns itself; `sent` learns how many bytes have gone out, at the end.
  static grpc::ServerWriteReactor<Piece>* Start(grpc::CallbackServerContext* context,
                                                FileStreamOptions options, Open open, Fill fill,
                                                std::function<void(std::int64_t)> sent = nullptr) {
    auto* const reactor = new Reactor;  // NOLINT: owns itself until OnDone
    auto state = std::shared_ptr<FileStream>(new FileStream(
        reactor, context, options, std::move(open), std::move(fill), std::move(sent)));
    reactor->state_ = state;
    const std::weak_ptr<FileStream> weak = state;
    const auto end = [weak](const Status& why) {
      if (const auto alive = weak.lock()) alive->EndFromOutside(why);
    };
    state->registration_ = options.live.Add(options.client, end);
    state->idle_ =
        std::make_unique<IdleTimer>(options.executor, options.clock, options.idle_timeout, [end] {
          end(Status(StatusCode::kDeadlineExceeded,
                     "nothing was read from this stream for too long"));
        });
    options.executor.Post([state] { state->Begin(); });
    return reactor;
  }

  // A stream that is ended at once.
  static grpc::ServerWriteReactor<Piece>* Refuse(const Status& status) {
    auto* const reactor = new Reactor;  // NOLINT: owns itself until OnDone
    reactor->Finish(wire::ToGrpc(status));
    return reactor;
  }

 private:
  class Reactor final : public grpc::ServerWriteReactor<Piece> {
   public:
    void OnWriteDone(bool ok) override { state_->Written(ok); }
    void OnCancel() override {
      if (state_ != nullptr) {
        state_->line_.Finish(Status(StatusCode::kCancelled, "the caller went away"));
      }
    }
    void OnDone() override {
      if (state_ != nullptr) state_->Over();
      delete this;  // NOLINT: owns itself
    }

    std::shared_ptr<FileStream> state_;
  };

  FileStream(Reactor* reactor, grpc::CallbackServerContext* context, FileStreamOptions options,
             Open open, Fill fill, std::function<void(std::int64_t)> sent)
      : line_(reactor),
        context_(context),
        options_(std::move(options)),
        open_(std::move(open)),
        fill_(std::move(fill)),
        sent_(std::move(sent)) {}

  // From here to Written: one task or callback of this stream at a time, so no lock.
  void Begin() {
    StatusOr<FileParts> parts = open_();
    if (!parts.ok()) {
      line_.Finish(parts.status());
      return;
    }
    parts_ = *std::move(parts);
    at_ = parts_.ranges.empty() ? 0 : parts_.ranges.front().first;
    SendNext();
  }

  void SendNext() {
    while (range_ < parts_.ranges.size() && at_ >= parts_.ranges[range_].end) {
      if (++range_ < parts_.ranges.size()) at_ = parts_.ranges[range_].first;
    }
    if (range_ == parts_.ranges.size()) {
      line_.Finish(Status());
      return;
    }
    const std::int64_t size = std::min(options_.piece_bytes, parts_.ranges[range_].end - at_);
    std::string bytes(static_cast<std::size_t>(size), '\0');
    const Status read = parts_.file->ReadAt(
        at_, absl::MakeSpan(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size()));
    if (!read.ok()) {
      line_.Finish(read);
      return;
    }
    piece_.Clear();
    fill_(at_, std::move(bytes), piece_);
    at_ += size;
    line_.With([this](Reactor& reactor) { reactor.StartWrite(&piece_); });
  }

  void Written(bool ok) {
    if (!ok) {
      line_.Finish(Status(StatusCode::kCancelled, "the caller went away"));
      return;
    }
    total_sent_ += static_cast<std::int64_t>(piece_.ByteSizeLong());
    idle_->Touch();
    options_.executor.Post([self = this->shared_from_this()] { self->SendNext(); });
  }

  // A peer that reads nothing would never see a status behind the pieces that wait for it: its call
  // is cut off.
  void EndFromOutside(const Status& why) {
    line_.With([this](Reactor&) { context_->TryCancel(); });
    line_.Finish(why);
  }

  void Over() {
    registration_.reset();
    idle_.reset();
    if (sent_ != nullptr) sent_(total_sent_);
  }

  StreamLine<Reactor> line_;
  grpc::CallbackServerContext* const context_;
  const FileStreamOptions options_;
  const Open open_;
  const Fill fill_;
  const std::function<void(std::int64_t)> sent_;
  std::unique_ptr<LiveCalls::Registration> registration_;
  std::unique_ptr<IdleTimer> idle_;

  FileParts parts_;
  std::size_t range_ = 0;
  std::int64_t at_ = 0;
  std::int64_t total_sent_ = 0;
  Piece piece_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_FILE_STREAM_H_
