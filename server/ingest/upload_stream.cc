// 1. One writer: whoever passes FenceOlder is lane_->writer, and the one before is over. Both run
// in
//    the lane, so no older byte is written once the newer stream knows its offset.
// 2. Write before check: reader_->checked() never goes beyond what is in the file.
// 3. A file that a receipt names is never opened for writing: Open looks at the store first, and no
//    other task of the assignment runs in between.
#include "server/ingest/upload_stream.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "server/ingest/receipt_answer.h"

namespace fed::server {
namespace {

constexpr std::size_t kMostKept = 4'096;           // partial updates whose progress is remembered
constexpr std::int64_t kRestoreBytes = 256 << 10;  // read at once to look at a partial update

}  // namespace

bool UploadPlaces::Take() {
  MutexLock lock(mu_);
  if (free_ <= 0) return false;
  --free_;
  return true;
}

void UploadPlaces::Give() {
  MutexLock lock(mu_);
  ++free_;
}

IntakeShared::IntakeShared(Intake::Parts parts_in, IntakeOptions options_in)
    : parts(parts_in),
      options(options_in),
      lanes(parts.executor, kMostKept),
      places(options.max_uploads) {}

UploadStream::UploadStream(std::shared_ptr<IntakeShared> shared, Caller caller,
                           wire::UploadBegin begin, Intake::Reply reply)
    : shared_(std::move(shared)),
      lane_(shared_->lanes.Enter(begin.ref)),
      caller_(std::move(caller)),
      begin_(std::move(begin)),
      reply_(std::move(reply)) {}

UploadStream::~UploadStream() {
  if (has_place_) shared_->places.Give();
  shared_->lanes.Leave(ref());
}

void UploadStream::Start() {
  lane_->Post([self = shared_from_this()] { self->Open(); });
}

void UploadStream::Append(std::int64_t offset, std::string bytes, std::function<void()> consumed) {
  lane_->Post([self = shared_from_this(), offset, bytes = std::move(bytes),
               consumed = std::move(consumed)]() mutable {
    self->Take(offset, AsBytes(bytes));
    bytes = std::string();
    if (consumed) consumed();
  });
}

void UploadStream::Finish() {
  lane_->Post([self = shared_from_this()] {
    if (self->over_) return;
    self->End(Status(StatusCode::kUnavailable,
                     absl::StrCat("update of ", self->begin_.total_bytes, " bytes ended at ",
                                  self->reader_->offset(), ": open a new stream for the rest")));
  });
}

void UploadStream::Cancel() {
  {
    MutexLock lock(mu_);
    cancelled_ = true;
    while (replying_ && *replying_ != std::this_thread::get_id()) replied_.wait(mu_);
  }
  lane_->Post([self = shared_from_this()] { self->Close(); });
}

// --- in the lane: opening ---

void UploadStream::Open() {
  if (cancelled()) return Close();
  if (AnswerByReceipt()) return;
  StatusOr<UpdateTerms> terms = parts().gate.Expects(caller_, ref());
  if (!terms.ok()) return End(AnswerOfGate(terms.status()));
  FenceOlder();
  if (!shared_->places.Take()) return End(ComeBackLater(shared_->options, "all places are taken"));
  has_place_ = true;
  lane_->writer = weak_from_this();
  joins_ = terms->joins;
  StatusOr<UpdateReader> reader = UpdateReader::Make(*std::move(terms), begin_);
  if (reader.status().code() == StatusCode::kInvalidArgument) {
    return Refuse(reader.status().message());
  }
  if (!reader.ok()) return End(reader.status());
  reader_ = *std::move(reader);
  if (Status status = OpenFile(); !status.ok()) return Unstored(status);
  Send(wire::UploadReply(wire::UploadProceed{reader_->checked(), shared_->options.piece_bytes}));
  if (reader_->complete() && !cancelled()) Commit();
}

bool UploadStream::AnswerByReceipt() {
  const StatusOr<std::optional<Receipt>> receipt = FindReceipt(parts().store, ref());
  if (!receipt.ok()) {
    Unstored(receipt.status());
    return true;
  }
  if (!receipt->has_value()) return false;
  End(AnswerOf(**receipt, caller_, begin_.digest));
  return true;
}

void UploadStream::FenceOlder() {
  if (const std::shared_ptr<UploadStream> older = lane_->writer.lock()) {
    older->End(Status(StatusCode::kAborted, absl::StrCat("a newer stream of assignment ",
                                                         ref().assignment.value, " took over")));
  }
}

Status UploadStream::OpenFile() {
  FED_ASSIGN_OR_RETURN(file_, parts().spool.OpenForWriting(key()));
  if (lane_->distrusted) FED_RETURN_IF_ERROR(file_->Truncate(0));
  lane_->distrusted = false;
  FED_ASSIGN_OR_RETURN(const std::int64_t size, file_->size());
  Restore(size);
  return {};
}

// As much as is there and good; what is not is overwritten.
void UploadStream::Restore(std::int64_t size) {
  std::optional<Lane::Kept>& kept = lane_->kept;
  if (kept && (kept->digest != begin_.digest || kept->end > size)) kept.reset();
  const std::int64_t head = begin_.header_bytes + begin_.table_bytes;
  if (size < head) return;
  Status status = Feed(0, head);
  if (status.ok() && kept) {
    reader_->SkipTo(kept->progress);
  } else if (status.ok()) {
    status = Feed(head, std::min(size, begin_.total_bytes));
  }
  if (!status.ok()) {
    parts().log.Warn("upload.partial_bad", {{"job", ref().job.value},
                                            {"assignment", ref().assignment.value},
                                            {"good_bytes", reader_->checked()},
                                            {"reason", status.message()}});
  }
  reader_->Rewind();
  kept.reset();
  Remember();
}

Status UploadStream::Feed(std::int64_t first, std::int64_t last) {
  std::vector<std::uint8_t> bytes;
  for (std::int64_t at = first; at < last; at += kRestoreBytes) {
    bytes.resize(static_cast<std::size_t>(std::min(kRestoreBytes, last - at)));
    FED_RETURN_IF_ERROR(file_->ReadAt(at, absl::MakeSpan(bytes)));
    FED_RETURN_IF_ERROR(reader_->Add(bytes));
  }
  return {};
}

// --- in the lane: bytes ---

void UploadStream::Take(std::int64_t offset, absl::Span<const std::uint8_t> bytes) {
  if (over_) return;
  const auto size = static_cast<std::int64_t>(bytes.size());
  if (Status status = CheckPlace(offset, size); !status.ok()) return End(status);
  if (Status status = file_->WriteAt(offset, bytes); !status.ok()) return Unstored(status);
  const Status status = reader_->Add(bytes);
  if (!status.ok()) return Refuse(status.message());
  Remember();
  // What a revoked or broken stream completed waits for the next one.
  if (reader_->complete() && !cancelled()) Commit();
}

// A stream that is out of step, not an update that is wrong.
Status UploadStream::CheckPlace(std::int64_t offset, std::int64_t bytes) const {
  const std::int64_t next = reader_->offset();
  const std::int64_t most = std::min(shared_->options.piece_bytes, begin_.total_bytes - next);
  if (offset == next && bytes <= most) return {};
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("piece of ", bytes, " bytes at ", offset, ": expected at most ", most,
                             " at ", next));
}

void UploadStream::Remember() {
  if (reader_->checked() == 0) return;
  lane_->kept = Lane::Kept{begin_.digest, reader_->progress(), reader_->checked()};
}

// --- in the lane: the end ---

void UploadStream::Refuse(const std::string& reason) {
  parts().log.Info("upload.refused", {{"job", ref().job.value},
                                      {"assignment", ref().assignment.value},
                                      {"client", ShortId(caller_.id.value)},
                                      {"reason", reason}});
  parts().gate.Rejected(caller_, ref(), reason);
  Discard();
  End(wire::UploadReply(wire::UploadRefused{reason}));
}

// Our disk or store, not their bytes: what is checked stays for a resume.
void UploadStream::Unstored(const Status& status) {
  parts().log.Warn("upload.unstored", {{"job", ref().job.value},
                                       {"assignment", ref().assignment.value},
                                       {"reason", status.message()}});
  if (status.code() == StatusCode::kResourceExhausted) {
    return End(ComeBackLater(shared_->options, "no room on the server's disk"));
  }
  End(Status(StatusCode::kUnavailable,
             "the server could not store the update: open the stream again later"));
}

void UploadStream::Discard() {
  lane_->kept.reset();
  if (Status status = parts().spool.Remove(ref().job, ref().assignment); !status.ok()) {
    lane_->distrusted = true;
    parts().log.Warn("upload.not_removed", {{"job", ref().job.value},
                                            {"assignment", ref().assignment.value},
                                            {"reason", status.message()}});
  }
}

void UploadStream::End(StatusOr<wire::UploadReply> last) {
  if (over_) return;
  Send(std::move(last));
  Close();
}

void UploadStream::Close() {
  over_ = true;
  file_.reset();
  reader_.reset();
  reply_ = nullptr;  // it holds the rpc, which holds this
  if (has_place_) shared_->places.Give();
  has_place_ = false;
}

void UploadStream::Send(StatusOr<wire::UploadReply> reply) {
  {
    MutexLock lock(mu_);
    if (cancelled_) return;
    replying_ = std::this_thread::get_id();
  }
  reply_(std::move(reply));
  {
    MutexLock lock(mu_);
    replying_.reset();
  }
  replied_.notify_all();
}

bool UploadStream::cancelled() const {
  MutexLock lock(mu_);
  return cancelled_;
}

}  // namespace fed::server
