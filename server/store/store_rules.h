// What may be written into a store: the rules that every implementation asks before it edits.
#ifndef FED_SERVER_STORE_STORE_RULES_H_
#define FED_SERVER_STORE_STORE_RULES_H_

#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "fed/status.h"
#include "server/store/records.h"
#include "server/store/store.h"

namespace fed::server {

// The parent of a row must be there: kNotFound names the one that is missing. A number that is NaN,
// which no database compares or keeps, is kInvalidArgument. Nothing is edited here.
Status CheckPut(const StoreView& store, const CertificateRecord& certificate);
Status CheckPut(const StoreView& store, const RoundRecord& round);
Status CheckPut(const StoreView& store, const AssignmentRecord& assignment);
Status CheckPut(const StoreView& store, const EvaluationRecord& evaluation);
Status CheckPutMetrics(const StoreView& store, const JobId& job, RoundId round,
                       const Scalars& metrics);

// Also kFailedPrecondition: StoreEdit::PutModel.
Status CheckPut(const StoreView& store, const ModelRecord& model);

// The codes of StoreEdit::AddReceipt.
Status CheckAdd(const StoreView& store, const Receipt& receipt);

// kInvalidArgument: `end` is no end.
Status CheckEnd(ReceiptEnd end);
// Whether `receipt` takes this end: true, it is open; false, it has this very end; else
// kFailedPrecondition. Two discards are the same end whatever their reasons: the first one stays.
StatusOr<bool> TakesEnd(const Receipt& receipt, ReceiptEnd end, ModelVersion counted_in);

// kNotFound, in the same words from every implementation.
Status NoJob(const JobId& job);
Status NoClient(const ClientId& client);
Status NoEnrollToken();
Status NoCertificate();
Status NoRound(const JobId& job, RoundId round);
Status NoAssignment(const JobId& job, AssignmentId assignment);
Status NoReceipt(const JobId& job, AssignmentId assignment);
Status NoModel(const JobId& job, ModelVersion version);
Status NoModels(const JobId& job);
Status NoEvaluation(const JobId& job, AssignmentId assignment);

}  // namespace fed::server

#endif  // FED_SERVER_STORE_STORE_RULES_H_
