// Records into replies.
#include "server/ingest/receipt_answer.h"

#include "absl/strings/str_cat.h"

namespace fed::server {
namespace {

wire::ReceiptEnd EndOf(const Receipt& receipt) {
  wire::ReceiptEnd end;
  end.ref = {receipt.job, receipt.assignment};
  if (receipt.end == ReceiptEnd::kCounted) {
    end.end = wire::ReceiptEnd::End::kCounted;
    end.version = receipt.counted_in;
  } else {
    end.end = wire::ReceiptEnd::End::kDiscarded;
    end.reason = receipt.reason;
  }
  return end;
}

}  // namespace

StatusOr<std::optional<Receipt>> FindReceipt(const Store& store, const wire::AssignmentRef& ref) {
  std::optional<Receipt> found;
  FED_RETURN_IF_ERROR(store.Read([&](const StoreView& view) {
    StatusOr<Receipt> receipt = view.ReceiptOf(ref.job, ref.assignment);
    if (receipt.status().code() == StatusCode::kNotFound) return Status();
    if (receipt.ok()) found = *receipt;
    return receipt.status();
  }));
  return found;
}

StatusOr<wire::UploadReply> AnswerOf(const Receipt& receipt, const Caller& caller,
                                     const Digest& digest) {
  if (receipt.client != caller.id) {
    return Status(StatusCode::kNotFound,
                  absl::StrCat("job ", receipt.job.value, " has no assignment ",
                               receipt.assignment.value, " of this client"));
  }
  if (receipt.digest != digest.ToHex()) {
    return Status(
        StatusCode::kAlreadyExists,
        absl::StrCat("update ", receipt.digest, " of assignment ", receipt.assignment.value,
                     " was taken: ", digest.ToHex(), " can not be"));
  }
  wire::UploadReceipt answer{digest, std::nullopt};
  if (receipt.end != ReceiptEnd::kOpen) answer.end = EndOf(receipt);
  return wire::UploadReply(answer);
}

StatusOr<wire::UploadReply> AnswerOfGate(const Status& status) {
  if (status.code() != StatusCode::kFailedPrecondition) return status;
  return wire::UploadReply(wire::UploadRefused{status.message()});
}

wire::UploadReply ComeBackLater(const IntakeOptions& options, const std::string& text) {
  return wire::ComeBack{wire::ComeBack::Reason::kBusy, options.come_back_after, text};
}

}  // namespace fed::server
