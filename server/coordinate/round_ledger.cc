// Each transaction reads what it depends on: a receipt may have come in at any moment before it.
#include "server/coordinate/round_ledger.h"

#include <utility>

namespace fed::server {
namespace {

// Clients whose certificate was made elsewhere may have no row yet: nothing is counted then.
Status EditClient(StoreEdit& edit, const ClientId& id,
                  const std::function<void(ClientRecord&)>& change) {
  StatusOr<ClientRecord> row = edit.Client(id);
  if (row.status().code() == StatusCode::kNotFound) return Status();
  if (!row.ok()) return row.status();
  ClientRecord changed = *std::move(row);
  change(changed);
  return edit.PutClient(changed);
}

Status DiscardReceipt(StoreEdit& edit, const JobId& job, const MemberChange& change) {
  const StatusOr<Receipt> receipt = edit.ReceiptOf(job, change.assignment);
  if (receipt.status().code() == StatusCode::kNotFound) return Status();
  if (!receipt.ok()) return receipt.status();
  if (receipt->end != ReceiptEnd::kOpen) return Status();
  return edit.EndReceipt(job, change.assignment, ReceiptEnd::kDiscarded, ModelVersion{},
                         change.reason);
}

Status Apply(StoreEdit& edit, const JobId& job, const MemberChange& change) {
  FED_ASSIGN_OR_RETURN(AssignmentRecord row, edit.Assignment(job, change.assignment));
  if (row.state == AssignmentState::kDone) {
    return change.discard_receipt ? DiscardReceipt(edit, job, change) : Status();
  }
  if (row.state == AssignmentState::kRejected || row.state == change.state) return Status();
  const bool failed = row.state == AssignmentState::kAssigned;
  row.state = change.state;
  row.reason = change.reason;
  FED_RETURN_IF_ERROR(edit.PutAssignment(row));
  if (!failed) return Status();
  return EditClient(edit, change.client, [](ClientRecord& client) { ++client.failures; });
}

Status ApplyAll(StoreEdit& edit, const JobId& job, const std::vector<MemberChange>& changes) {
  for (const MemberChange& change : changes) FED_RETURN_IF_ERROR(Apply(edit, job, change));
  return Status();
}

}  // namespace

Status WriteDraw(Context& context, const RoundRecord& round,
                 const std::vector<AssignmentRecord>& drawn) {
  return context.Write([&](StoreEdit& edit) -> Status {
    FED_RETURN_IF_ERROR(edit.PutRound(round));
    for (const AssignmentRecord& row : drawn) FED_RETURN_IF_ERROR(edit.PutAssignment(row));
    return Status();
  });
}

Status WriteChanges(Context& context, const JobId& job, const std::vector<MemberChange>& changes) {
  return context.Write([&](StoreEdit& edit) { return ApplyAll(edit, job, changes); });
}

StatusOr<int> WriteClosing(Context& context, const RoundRecord& round,
                           const std::vector<MemberChange>& changes) {
  int receipts = 0;
  FED_RETURN_IF_ERROR(context.Write([&](StoreEdit& edit) -> Status {
    receipts = 0;
    FED_RETURN_IF_ERROR(ApplyAll(edit, round.job, changes));
    FED_RETURN_IF_ERROR(edit.PutRound(round));
    FED_ASSIGN_OR_RETURN(const std::vector<Receipt> all, edit.Receipts(round.job, round.round));
    for (const Receipt& receipt : all) {
      if (receipt.end != ReceiptEnd::kOpen) continue;
      ++receipts;
      FED_RETURN_IF_ERROR(
          EditClient(edit, receipt.client, [](ClientRecord& client) { ++client.rounds; }));
    }
    return Status();
  }));
  return receipts;
}

Status WriteFailed(Context& context, const RoundRecord& round,
                   const std::function<void(JobRecord&)>& change_job) {
  return context.Write([&](StoreEdit& edit) -> Status {
    FED_RETURN_IF_ERROR(edit.PutRound(round));
    FED_RETURN_IF_ERROR(edit.EndReceipts(round.job, round.round, ReceiptEnd::kDiscarded,
                                         ModelVersion{}, round.reason));
    FED_ASSIGN_OR_RETURN(JobRecord job, edit.Job(round.job));
    change_job(job);
    return edit.PutJob(job);
  });
}

StatusOr<JobRecord> EditJob(Context& context, const JobId& job,
                            const std::function<Status(JobRecord&)>& change) {
  JobRecord written;
  FED_RETURN_IF_ERROR(context.Write([&](StoreEdit& edit) -> Status {
    FED_ASSIGN_OR_RETURN(written, edit.Job(job));
    FED_RETURN_IF_ERROR(change(written));
    return edit.PutJob(written);
  }));
  return written;
}

}  // namespace fed::server
