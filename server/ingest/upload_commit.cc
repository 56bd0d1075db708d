// The commit point of an upload: bytes durable, then the receipt, then the ack; never in another
// order.
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/failpoint.h"
#include "server/ingest/receipt_answer.h"
#include "server/ingest/upload_stream.h"

namespace fed::server {

void UploadStream::Commit() {
  if (Status status = SyncSpool(); !status.ok()) {
    Discard();
    return Unstored(status);
  }
  FailpointHit("ingest.spool_synced");
  const Receipt receipt = MakeReceipt();
  const Status written = parts().store.Write([&](StoreEdit& edit) {
    // The identity may have been revoked since the stream began.
    const StatusOr<ClientRecord> client = edit.Client(caller_.id);
    if (client.ok() && client->revoked) {
      return Status(StatusCode::kPermissionDenied, "this client's identity was revoked");
    }
    if (!client.ok() && client.status().code() != StatusCode::kNotFound) return client.status();
    return edit.AddReceipt(receipt);
  });
  Conclude(written, receipt);
}

Status UploadStream::SyncSpool() {
  // A partial update of this digest may have been announced as longer.
  FED_ASSIGN_OR_RETURN(const std::int64_t size, file_->size());
  if (size > begin_.total_bytes) FED_RETURN_IF_ERROR(file_->Truncate(begin_.total_bytes));
  return parts().spool.Sync(key(), *file_);
}

Receipt UploadStream::MakeReceipt() const {
  const UpdateHeader& header = reader_->header();
  Receipt receipt;
  receipt.job = ref().job;
  receipt.assignment = ref().assignment;
  receipt.client = caller_.id;
  receipt.base = header.base;
  receipt.joins = joins_;
  receipt.digest = begin_.digest.ToHex();
  receipt.spool_file = parts().spool.NameOf(key());
  receipt.bytes = begin_.total_bytes;
  receipt.codec = header.codec;
  receipt.weight = reader_->weight();
  receipt.norm = reader_->norm();
  receipt.scalars = header.scalars;
  receipt.accepted_at = parts().clock.WallNow();
  return receipt;
}

void UploadStream::Conclude(const Status& written, const Receipt& receipt) {
  switch (written.code()) {
    case StatusCode::kOk:
      FailpointHit("ingest.receipt_committed");
      lane_->kept.reset();
      parts().log.Info("upload.accepted", {{"job", ref().job.value},
                                           {"assignment", ref().assignment.value},
                                           {"client", ShortId(caller_.id.value)},
                                           {"bytes", receipt.bytes}});
      parts().gate.Accepted(receipt);
      return End(wire::UploadReply(wire::UploadReceipt{begin_.digest, std::nullopt}));
    case StatusCode::kUnknown:  // it may be there: nothing is said, the process ends
      parts().gate.OutcomeUnknown(written);
      return Close();
    case StatusCode::kAborted:
      Discard();
      return End(Status(StatusCode::kAborted,
                        absl::StrCat("round ", joins_.value,
                                     " closed before the update was whole: ", written.message())));
    case StatusCode::kFailedPrecondition:
      Discard();
      return End(AnswerOfGate(written));
    case StatusCode::kAlreadyExists:  // by someone who does not go through this intake
      if (!AnswerByReceipt()) End(written);
      return;
    case StatusCode::kNotFound:
    case StatusCode::kPermissionDenied:
      return End(written);
    default:
      return Unstored(written);
  }
}

}  // namespace fed::server
