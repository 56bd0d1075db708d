// Rows into values; leftovers off the disk.
#include "server/coordinate/recovery.h"

#include <set>
#include <string>
#include <utility>

namespace fed::server {
namespace {

Round::Saved::SavedMember MemberOf(const AssignmentRecord& row, const Receipt* receipt) {
  Round::Saved::SavedMember member;
  member.client = row.client;
  member.reason = row.reason;
  member.remaining = row.remaining;
  switch (row.state) {
    case AssignmentState::kAssigned:
      member.state = MemberState::kAssigned;
      break;
    case AssignmentState::kGone:
      member.state = MemberState::kGone;
      break;
    case AssignmentState::kRejected:
      member.state = MemberState::kRejected;
      break;
    case AssignmentState::kDone:
      member.state = MemberState::kDone;
      if (receipt == nullptr || receipt->end != ReceiptEnd::kOpen) {
        member.state = MemberState::kRejected;  // its update was discarded: revoked
        member.reason = receipt == nullptr ? "" : receipt->reason;
      }
      break;
  }
  return member;
}

StatusOr<SavedRound> ReadRound(const StoreView& view, const RoundRecord& row) {
  SavedRound round;
  round.row = row;
  FED_ASSIGN_OR_RETURN(round.members, view.Assignments(row.job, row.round));
  FED_ASSIGN_OR_RETURN(const std::vector<Receipt> receipts, view.Receipts(row.job, row.round));
  std::map<AssignmentId, const Receipt*> of;
  for (const Receipt& receipt : receipts) {
    of[receipt.assignment] = &receipt;
    if (receipt.end == ReceiptEnd::kOpen) ++round.receipts;
  }
  round.saved.phase = row.state == RoundState::kOpen ? RoundPhase::kOpen : RoundPhase::kClosing;
  round.saved.cancelled = row.state == RoundState::kClosing ? row.reason : "";
  round.saved.remaining = row.remaining;
  for (const AssignmentRecord& member : round.members) {
    const auto at = of.find(member.assignment);
    round.saved.members.push_back(MemberOf(member, at == of.end() ? nullptr : at->second));
  }
  return round;
}

Status ReadRows(const StoreView& view, SavedJob& saved) {
  const JobId& job = saved.job.id;
  FED_ASSIGN_OR_RETURN(saved.latest, view.LatestModel(job));
  FED_ASSIGN_OR_RETURN(saved.published, view.CountRounds(job, RoundState::kPublished));
  FED_ASSIGN_OR_RETURN(saved.last_assignment, view.LastAssignment(job));
  FED_ASSIGN_OR_RETURN(const std::vector<RoundRecord> newest, view.Rounds(job, 1));
  if (!newest.empty()) saved.last_round = newest.front().round;
  FED_ASSIGN_OR_RETURN(const std::vector<ModelRecord> models, view.Models(job));
  for (const ModelRecord& model : models) {
    if (!model.kept) continue;
    FED_ASSIGN_OR_RETURN(saved.evaluations[model.version], view.Evaluations(job, model.version));
  }
  FED_ASSIGN_OR_RETURN(const std::vector<RoundRecord> active, view.ActiveRounds(job));
  if (active.empty()) return Status();
  FED_ASSIGN_OR_RETURN(saved.round, ReadRound(view, active.front()));
  return Status();
}

// Whether bytes of this assignment are awaited, or wait for their fold.
StatusOr<bool> IsWanted(const StoreView& view, const Spool::Held& held) {
  const StatusOr<Receipt> receipt = view.ReceiptOf(held.job, held.assignment);
  if (receipt.ok()) return receipt->end == ReceiptEnd::kOpen;
  if (receipt.status().code() != StatusCode::kNotFound) return receipt.status();
  const StatusOr<AssignmentRecord> row = view.Assignment(held.job, held.assignment);
  if (row.status().code() == StatusCode::kNotFound) return false;
  if (!row.ok()) return row.status();
  if (row->state == AssignmentState::kRejected) return false;
  FED_ASSIGN_OR_RETURN(const RoundRecord round, view.Round(held.job, row->round));
  return round.state == RoundState::kOpen;
}

}  // namespace

StatusOr<SavedJob> ReadSavedJob(Context& context, const JobRecord& job) {
  SavedJob saved;
  saved.job = job;
  FED_RETURN_IF_ERROR(
      context.parts.store.Read([&](const StoreView& view) { return ReadRows(view, saved); }));
  FED_ASSIGN_OR_RETURN(saved.terms, ReadTerms(job, saved.latest, context.parts.blobs));
  return saved;
}

Status SweepSpool(Context& context) {
  FED_ASSIGN_OR_RETURN(const std::vector<Spool::Held> all, context.parts.spool.List());
  std::vector<Spool::Held> leftover;
  FED_RETURN_IF_ERROR(context.parts.store.Read([&](const StoreView& view) -> Status {
    for (const Spool::Held& held : all) {
      FED_ASSIGN_OR_RETURN(const bool wanted, IsWanted(view, held));
      if (!wanted) leftover.push_back(held);
    }
    return Status();
  }));
  for (const Spool::Held& held : leftover) {
    FED_RETURN_IF_ERROR(context.parts.spool.Remove(held.job, held.assignment));
  }
  return Status();
}

Status SweepBlobs(Context& context) {
  FED_ASSIGN_OR_RETURN(const std::vector<Digest> all, context.parts.blobs.List());
  context.sweeper.Sweep(all);
  return Status();
}

}  // namespace fed::server
