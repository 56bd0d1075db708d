// What may be written into a store.
//
// Invariants that hold in every store, whoever writes:
//   1. A row's parent is there: job <- round <- assignment <- receipt, job <- version <-
//   evaluation.
//   2. An assignment has at most one receipt, and with one it is DONE.
//   3. No receipt joins a round that is not OPEN at that moment.
//   4. A receipt's end never changes.
//   5. A job's versions are 0, 1, 2, ... without a gap; only `kept` of one ever changes.
#include "server/store/store_rules.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/log.h"
#include "server/store/stored_time.h"

namespace fed::server {
namespace {

// OK if `found` is, else why not.
template <typename T>
Status Needs(const StatusOr<T>& found) {
  return found.status();
}

Status CheckNumber(absl::string_view name, double value) {
  if (!std::isnan(value)) return Status();
  return Status(StatusCode::kInvalidArgument, absl::StrCat("\"", name, "\" is not a number"));
}

Status CheckNumbers(const Scalars& scalars) {
  for (const auto& [name, value] : scalars) FED_RETURN_IF_ERROR(CheckNumber(name, value));
  return Status();
}

// But for `kept`.
bool SameModel(const ModelRecord& a, const ModelRecord& b) {
  return a.made_by == b.made_by && ToStored(a.created_at) == ToStored(b.created_at) &&
         a.files == b.files;
}

Status None(const std::string& what) { return Status(StatusCode::kNotFound, what); }

std::string In(const JobId& job) { return absl::StrCat(" in job \"", job.value, "\""); }

}  // namespace

Status CheckPut(const StoreView& store, const CertificateRecord& certificate) {
  return Needs(store.Client(certificate.client));
}

Status CheckPut(const StoreView& store, const RoundRecord& round) {
  return Needs(store.Job(round.job));
}

Status CheckPut(const StoreView& store, const AssignmentRecord& assignment) {
  return Needs(store.Round(assignment.job, assignment.round));
}

Status CheckPut(const StoreView& store, const EvaluationRecord& evaluation) {
  FED_RETURN_IF_ERROR(CheckNumbers(evaluation.scalars));
  return Needs(store.Model(evaluation.job, evaluation.version));
}

Status CheckPutMetrics(const StoreView& store, const JobId& job, RoundId round,
                       const Scalars& metrics) {
  FED_RETURN_IF_ERROR(CheckNumbers(metrics));
  return Needs(store.Round(job, round));
}

Status CheckPut(const StoreView& store, const ModelRecord& model) {
  FED_RETURN_IF_ERROR(Needs(store.Job(model.job)));
  const StatusOr<ModelRecord> before = store.Model(model.job, model.version);
  if (before.ok()) {
    if (SameModel(*before, model)) return Status();
    return Status(
        StatusCode::kFailedPrecondition,
        absl::StrCat("version ", model.version.value, In(model.job), " is there and not the same"));
  }
  if (before.status().code() != StatusCode::kNotFound) return before.status();

  const StatusOr<ModelRecord> latest = store.LatestModel(model.job);
  if (!latest.ok() && latest.status().code() != StatusCode::kNotFound) return latest.status();
  const std::int64_t next = latest.ok() ? latest->version.value + 1 : 0;
  if (model.version.value == next) return Status();
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat("version ", model.version.value, In(model.job),
                             " can not be the next one: that is ", next));
}

Status CheckAdd(const StoreView& store, const Receipt& receipt) {
  if (receipt.end != ReceiptEnd::kOpen) {
    return Status(StatusCode::kInvalidArgument, "a new receipt has no end yet");
  }
  FED_RETURN_IF_ERROR(CheckNumber("weight", receipt.weight));
  FED_RETURN_IF_ERROR(CheckNumber("norm", receipt.norm));
  FED_RETURN_IF_ERROR(CheckNumbers(receipt.scalars));

  FED_ASSIGN_OR_RETURN(const AssignmentRecord assignment,
                       store.Assignment(receipt.job, receipt.assignment));
  const std::string name = absl::StrCat("assignment ", receipt.assignment.value, In(receipt.job));
  const StatusOr<Receipt> before = store.ReceiptOf(receipt.job, receipt.assignment);
  if (before.ok()) {
    return Status(StatusCode::kAlreadyExists, absl::StrCat(name, " has a receipt"));
  }
  if (before.status().code() != StatusCode::kNotFound) return before.status();
  if (assignment.state == AssignmentState::kRejected) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(name, " was rejected: ", assignment.reason));
  }

  const StatusOr<RoundRecord> round = store.Round(receipt.job, receipt.joins);
  if (!round.ok() && round.status().code() != StatusCode::kNotFound) return round.status();
  if (round.ok() && round->state == RoundState::kOpen) return Status();
  return Status(StatusCode::kAborted, absl::StrCat("round ", receipt.joins.value, In(receipt.job),
                                                   " takes no more updates: that of assignment ",
                                                   receipt.assignment.value, " does not count"));
}

Status CheckEnd(ReceiptEnd end) {
  if (end != ReceiptEnd::kOpen) return Status();
  return Status(StatusCode::kInvalidArgument, "OPEN is no end of a receipt");
}

StatusOr<bool> TakesEnd(const Receipt& receipt, ReceiptEnd end, ModelVersion counted_in) {
  if (receipt.end == ReceiptEnd::kOpen) return true;
  const bool same =
      receipt.end == end && (end != ReceiptEnd::kCounted || receipt.counted_in == counted_in);
  if (same) return false;
  const std::string is = receipt.end == ReceiptEnd::kCounted
                             ? absl::StrCat("counted in version ", receipt.counted_in.value)
                             : absl::StrCat("discarded (", receipt.reason, ")");
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat("the receipt of assignment ", receipt.assignment.value,
                             In(receipt.job), " has its end: ", is));
}

Status NoJob(const JobId& job) { return None(absl::StrCat("no job \"", job.value, "\"")); }

Status NoClient(const ClientId& client) {
  return None(absl::StrCat("no client ", ShortId(client.value)));
}

Status NoEnrollToken() { return None("no such enrollment token"); }

Status NoCertificate() { return None("no certificate for this token and key"); }

Status NoRound(const JobId& job, RoundId round) {
  return None(absl::StrCat("no round ", round.value, In(job)));
}

Status NoAssignment(const JobId& job, AssignmentId assignment) {
  return None(absl::StrCat("no assignment ", assignment.value, In(job)));
}

Status NoReceipt(const JobId& job, AssignmentId assignment) {
  return None(absl::StrCat("no receipt for assignment ", assignment.value, In(job)));
}

Status NoModel(const JobId& job, ModelVersion version) {
  return None(absl::StrCat("no version ", version.value, In(job)));
}

Status NoModels(const JobId& job) { return None(absl::StrCat("no version yet", In(job))); }

Status NoEvaluation(const JobId& job, AssignmentId assignment) {
  return None(absl::StrCat("no evaluation ", assignment.value, In(job)));
}

}  // namespace fed::server
