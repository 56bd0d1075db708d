// Events into the machine, its actions into the store.
#include "server/coordinate/round_run.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "common/base/check.h"
#include "common/base/failpoint.h"

namespace fed::server {

RoundRun::RoundRun(Context& context, const RoundPolicy& policy, const Opening& opening,
                   absl::Time now)
    : context_(context), round_(opening.round, policy, now) {
  row_.job = opening.job;
  row_.round = opening.round;
  row_.base = opening.base;
  row_.target_updates = policy.target_updates;
  row_.opened_at = context_.parts.clock.WallNow();
  row_.closed_at = absl::InfiniteFuture();
  row_.remaining = policy.time_limit;
}

StatusOr<RoundRun> RoundRun::Restore(Context& context, const RoundPolicy& policy,
                                     const SavedRound& saved, bool stopped) {
  const absl::Time now = context.parts.clock.Now();
  FED_ASSIGN_OR_RETURN(Round round, Round::Restore(saved.row.round, policy, saved.saved, now));
  RoundRun run(context, std::move(round), saved.row);
  run.verify_ = true;
  run.draws_ = static_cast<int>(saved.members.size());  // no draw of before is drawn again
  for (const AssignmentRecord& member : saved.members) run.rows_.emplace(member.client, member);
  context.parts.log.Info("round.restored", {{"job", saved.row.job.value},
                                            {"round", saved.row.round.value},
                                            {"updates", saved.receipts}});
  if (saved.row.state == RoundState::kClosing) {
    FED_RETURN_IF_ERROR(run.On(UploadsClosed{saved.receipts}, now));
    return run;
  }
  if (stopped) {
    FED_RETURN_IF_ERROR(run.On(Cancelled{kJobStopped}, now));
    return run;
  }
  for (const AssignmentRecord& member : saved.members) {
    if (!context.parts.revocations.IsRevoked(member.client)) continue;
    FED_RETURN_IF_ERROR(run.On(Revoked{member.client}, now));
  }
  return run;
}

Status RoundRun::Add(const std::vector<AssignmentRecord>& rows, absl::Time now) {
  Round drawn = round_;
  for (const AssignmentRecord& row : rows) {
    FED_RETURN_IF_ERROR(drawn.On(Drawn{row.client}, now).status());
  }
  FED_RETURN_IF_ERROR(WriteDraw(context_, row_, rows));
  const bool is_first = rows_.empty();
  round_ = std::move(drawn);
  for (const AssignmentRecord& row : rows) rows_.emplace(row.client, row);
  context_.parts.log.Info(is_first ? "round.opened" : "round.refilled",
                          {{"job", row_.job.value},
                           {"round", row_.round.value},
                           {"base", row_.base.value},
                           {"drawn", rows.size()}});
  return Status();
}

Status RoundRun::On(const Event& event, absl::Time now) {
  FED_ASSIGN_OR_RETURN(const std::vector<Action> actions, round_.On(event, now));
  for (const Action& action : actions) CarryOut(action);
  if (std::holds_alternative<Revoked>(event) && !actions.empty()) {
    unwritten_.back().discard_receipt = true;
  }
  return Status();
}

void RoundRun::CarryOut(const Action& action) {
  if (const auto* free = std::get_if<Free>(&action)) {
    const bool gone = free->state == MemberState::kGone;
    Change(free->client, gone ? AssignmentState::kGone : AssignmentState::kRejected, free->reason);
  } else if (const auto* assign = std::get_if<Assign>(&action)) {
    Change(assign->client, AssignmentState::kAssigned, "");
  } else if (std::holds_alternative<CloseUploads>(action)) {
    stage_ = RoundStage::kClosing;
  } else if (std::holds_alternative<Fold>(action)) {
    stage_ = RoundStage::kFold;
  } else if (std::holds_alternative<Discard>(action)) {
    stage_ = RoundStage::kDiscard;
  }  // Commit: the publisher folds and commits in one go
}

void RoundRun::Change(const ClientId& client, AssignmentState state, const std::string& reason) {
  const auto at = rows_.find(client);
  FED_DCHECK(at != rows_.end());
  AssignmentRecord& row = at->second;
  if (row.state == state) return;
  row.state = state;
  row.reason = reason;
  unwritten_.push_back({row.assignment, client, state, reason, false});
  const char* event = state == AssignmentState::kGone       ? "assignment.gone"
                      : state == AssignmentState::kRejected ? "assignment.rejected"
                                                            : "assignment.back";
  context_.parts.log.Info(event, {{"job", row.job.value},
                                  {"round", row.round.value},
                                  {"assignment", row.assignment.value},
                                  {"client", ShortId(client.value)},
                                  {"reason", reason}});
}

Status RoundRun::Write() {
  if (stage_ != RoundStage::kClosing) {
    if (unwritten_.empty()) return Status();
    FED_RETURN_IF_ERROR(WriteChanges(context_, row_.job, unwritten_));
    unwritten_.clear();
    return Status();
  }
  RoundRecord closing = row_;
  closing.state = RoundState::kClosing;
  closing.reason = round_.cancelled();
  closing.closed_at = context_.parts.clock.WallNow();
  FED_ASSIGN_OR_RETURN(const int receipts, WriteClosing(context_, closing, unwritten_));
  FailpointHit("coordinate.closing_committed");
  unwritten_.clear();
  row_ = std::move(closing);
  return On(UploadsClosed{receipts}, context_.parts.clock.Now());
}

StatusOr<bool> RoundRun::WriteFailed() {
  FED_DCHECK(stage_ == RoundStage::kDiscard);
  RoundRecord failed = row_;
  failed.state = RoundState::kFailed;
  failed.reason = round_.failure();
  const bool counts = round_.cancelled().empty();
  FED_RETURN_IF_ERROR(server::WriteFailed(context_, failed, [&](JobRecord& job) {
    if (counts) ++job.failed_in_a_row;
  }));
  context_.parts.log.Warn(
      "round.failed",
      {{"job", failed.job.value}, {"round", failed.round.value}, {"reason", failed.reason}});
  return counts;
}

const AssignmentRecord* RoundRun::RowOf(const ClientId& client) const {
  if (!round_.Expects(client).ok()) return nullptr;
  const auto at = rows_.find(client);
  return at == rows_.end() ? nullptr : &at->second;
}

absl::Time RoundRun::DeadlineOf(const ClientId& client) const {
  const auto at = round_.members().find(client);
  return at == round_.members().end() ? absl::InfinitePast() : at->second.deadline;
}

std::optional<wire::RenewReply> RoundRun::Renew(const ClientId& client,
                                                const wire::RenewRequest& sign) {
  const AssignmentRecord* row = RowOf(client);
  if (row == nullptr || row->assignment != sign.ref.assignment) return std::nullopt;
  const absl::Time now = context_.parts.clock.Now();
  const Status status = On(Renewed{client}, now);
  FED_DCHECK(status.ok());
  progress_[client] = {sign, now};
  if (round_.members().at(client).state == MemberState::kAssigned) {
    Change(client, AssignmentState::kAssigned, "");  // it may have been GONE
  }
  wire::RenewReply reply;
  reply.remaining = std::max(DeadlineOf(client) - now, absl::ZeroDuration());
  return reply;
}

void RoundRun::Accept(const Receipt& receipt) {
  context_.parts.log.Info("update.accepted", {{"job", row_.job.value},
                                              {"round", row_.round.value},
                                              {"assignment", receipt.assignment.value},
                                              {"client", ShortId(receipt.client.value)},
                                              {"bytes", receipt.bytes}});
  const Status status = On(UpdateAccepted{receipt.client}, context_.parts.clock.Now());
  if (!status.ok()) {  // e.g. revoked meanwhile; what counts is what the store says at the end
    context_.parts.log.Warn("update.late", {{"reason", status.message()}});
  }
}

std::vector<LiveParticipant> RoundRun::Participants(absl::Time now) const {
  std::vector<LiveParticipant> all;
  for (const auto& [client, progress] : progress_) {
    const wire::RenewRequest& sign = progress.sign;
    all.push_back(
        {sign.ref.assignment, sign.stage, sign.step, sign.steps, sign.loss, now - progress.at});
  }
  return all;
}

}  // namespace fed::server
