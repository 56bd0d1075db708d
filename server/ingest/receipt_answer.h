// What a device is told: from a receipt, from the gate's no, and when there is no room.
#ifndef FED_SERVER_INGEST_RECEIPT_ANSWER_H_
#define FED_SERVER_INGEST_RECEIPT_ANSWER_H_

#include <optional>
#include <string>

#include "common/crypto/digest.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/ingest/intake.h"
#include "server/security/access.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace fed::server {

StatusOr<std::optional<Receipt>> FindReceipt(const Store& store, const wire::AssignmentRef& ref);

// In any phase. kAlreadyExists: it is of another update. kNotFound: of another client, who alone is
// told of it.
StatusOr<wire::UploadReply> AnswerOf(const Receipt& receipt, const Caller& caller,
                                     const Digest& digest);

// A rejected assignment is a normal answer; all else is the status as it is.
StatusOr<wire::UploadReply> AnswerOfGate(const Status& status);

wire::UploadReply ComeBackLater(const IntakeOptions& options, const std::string& text);

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_RECEIPT_ANSWER_H_
