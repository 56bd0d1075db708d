// Open the stored update, send it, and write down what the server said before anyone is told.
#include "client_sdk/session/delivery.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>

#include "client_sdk/session/retry.h"

namespace fed::client {
namespace {

constexpr absl::Duration kShortestWait = absl::Milliseconds(100);

StatusOr<std::string> ReadPiece(const File& file, std::int64_t total, std::int64_t offset,
                                std::int64_t most) {
  const std::int64_t bytes = std::clamp<std::int64_t>(total - offset, 0, most);
  std::string piece(static_cast<std::size_t>(bytes), '\0');
  FED_RETURN_IF_ERROR(
      file.ReadAt(offset, {reinterpret_cast<std::uint8_t*>(piece.data()), piece.size()}));
  return piece;
}

}  // namespace

Delivery::Delivery(SessionContext& context, Transport& transport, Outbox& outbox,
                   wire::AssignmentRef ref, std::shared_ptr<TrainingSigns> signs, Done done)
    : context_(context),
      transport_(transport),
      outbox_(outbox),
      ref_(std::move(ref)),
      signs_(std::move(signs)),
      done_(std::move(done)),
      backoff_(context.NewBackoff()) {}

void Delivery::Start() {
  context_.Work(
      *this,
      [outbox = &outbox_, ref = ref_]() -> StatusOr<std::shared_ptr<Outbox::Unsent>> {
        FED_ASSIGN_OR_RETURN(Outbox::Unsent unsent, outbox->OpenUnsent(ref));
        return std::make_shared<Outbox::Unsent>(std::move(unsent));  // results are copied
      },
      [](Delivery& self, StatusOr<std::shared_ptr<Outbox::Unsent>> unsent) {
        if (!unsent.ok()) return self.Finish(unsent.status());
        self.begin_ = (*unsent)->begin;
        self.file_ = std::move((*unsent)->file);
        self.signs_->step = 0;
        self.signs_->steps = self.begin_.total_bytes;
        self.Send();
      });
}

void Delivery::Stop() {
  done_ = nullptr;
  call_ = nullptr;
}

void Delivery::Send() {
  if (!done_) return;
  OutgoingUpdate update;
  update.begin = begin_;
  update.read = [file = file_, total = begin_.total_bytes, signs = signs_](std::int64_t offset,
                                                                           std::int64_t most) {
    signs->step = offset;
    return ReadPiece(*file, total, offset, most);
  };
  call_ = transport_.Send(
      std::move(update),
      context_.OnEvents(*this, [](Delivery& self, StatusOr<wire::UploadReply> reply) {
        self.OnReply(std::move(reply));
      }));
}

void Delivery::OnReply(StatusOr<wire::UploadReply> reply) {
  if (!done_) return;
  call_ = nullptr;
  if (!reply.ok()) return OnError(reply.status());
  if (const auto* receipt = std::get_if<wire::UploadReceipt>(&*reply)) return OnReceipt(*receipt);
  if (const auto* refused = std::get_if<wire::UploadRefused>(&*reply)) {
    return DropIt(Status(StatusCode::kFailedPrecondition, refused->reason));
  }
  if (const auto* later = std::get_if<wire::ComeBack>(&*reply)) {
    return SendAgainAfter(std::max(later->after, kShortestWait), later->text);
  }
  Finish(Status(StatusCode::kInternal, "the transport ended an upload halfway"));
}

void Delivery::OnReceipt(const wire::UploadReceipt& receipt) {
  if (receipt.digest != begin_.digest) {
    return DropIt(Status(StatusCode::kAlreadyExists, "another update of this assignment counts"));
  }
  context_.Work(
      *this,
      [outbox = &outbox_, ref = ref_, end = receipt.end] {
        Status status = outbox->Acknowledge(ref);
        if (status.ok() && end) status = outbox->Settle(*end);
        return status;
      },
      [](Delivery& self, Status status) { self.Finish(std::move(status)); });
}

void Delivery::OnError(const Status& status) {
  switch (VerdictOf(status)) {
    case Verdict::kRepeat:
      return SendAgainAfter(backoff_.Next(), status.message());
    case Verdict::kGiveUp:
      return Finish(status);
    case Verdict::kBeginAgain:
      break;
  }
  const bool may_count =
      status.code() == StatusCode::kAborted || status.code() == StatusCode::kInternal;
  return may_count ? Finish(status) : DropIt(status);
}

void Delivery::DropIt(const Status& why) {
  context_.log.Warn(
      "update.refused",
      {{"job", ref_.job.value}, {"assignment", ref_.assignment.value}, {"why", why.message()}});
  context_.Work(
      *this, [outbox = &outbox_, ref = ref_] { return outbox->Drop(ref); },
      [](Delivery& self, Status status) { self.Finish(std::move(status)); });
}

void Delivery::SendAgainAfter(absl::Duration wait, const std::string& why) {
  context_.log.Warn("update.sent_again", {{"job", ref_.job.value},
                                          {"assignment", ref_.assignment.value},
                                          {"after", absl::FormatDuration(wait)},
                                          {"why", why}});
  context_.After(wait, *this, [](Delivery& self) { self.Send(); });
}

void Delivery::Finish(Status status) {
  if (done_) std::exchange(done_, nullptr)(std::move(status));
}

}  // namespace fed::client
