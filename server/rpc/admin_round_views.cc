// What operators see of rounds, and who is at what in one.
#include <map>
#include <utility>

#include "server/rpc/admin_views.h"
#include "server/rpc/version_scalars.h"

namespace fed::server {
namespace {

constexpr std::int64_t kDefaultRounds = 1'000;

const char* NameOf(RoundState state) {
  switch (state) {
    case RoundState::kOpen:
      return "OPEN";
    case RoundState::kClosing:
      return "CLOSING";
    case RoundState::kPublished:
      return "PUBLISHED";
    case RoundState::kFailed:
      return "FAILED";
  }
  return "";
}

const char* NameOf(AssignmentState state) {
  switch (state) {
    case AssignmentState::kAssigned:
      return "ASSIGNED";
    case AssignmentState::kDone:
      return "DONE";
    case AssignmentState::kRejected:
      return "REJECTED";
    case AssignmentState::kGone:
      return "GONE";
  }
  return "";
}

const char* NameOf(ReceiptEnd end) {
  switch (end) {
    case ReceiptEnd::kOpen:
      return "OPEN";
    case ReceiptEnd::kCounted:
      return "COUNTED";
    case ReceiptEnd::kDiscarded:
      return "DISCARDED";
  }
  return "";
}

const char* NameOf(wire::Stage stage) {
  switch (stage) {
    case wire::Stage::kDownloading:
      return "downloading";
    case wire::Stage::kTraining:
      return "training";
    case wire::Stage::kUploading:
      return "uploading";
    case wire::Stage::kEvaluating:
      return "evaluating";
  }
  return "";
}

StatusOr<v1::Round> ViewOf(const StoreView& view, const RoundRecord& round) {
  v1::Round out;
  out.set_round(round.round.value);
  out.set_state(NameOf(round.state));
  out.set_reason(round.reason);
  out.set_base_version(round.base.value);
  out.set_version(-1);
  out.set_target_updates(round.target_updates);
  out.set_opened_ms(absl::ToUnixMillis(round.opened_at));
  if (round.closed_at != absl::InfiniteFuture()) {
    out.set_closed_ms(absl::ToUnixMillis(round.closed_at));
  }
  FED_ASSIGN_OR_RETURN(const std::vector<Receipt> receipts, view.Receipts(round.job, round.round));
  FED_ASSIGN_OR_RETURN(const std::vector<AssignmentRecord> assignments,
                       view.Assignments(round.job, round.round));
  out.set_updates(static_cast<std::int64_t>(receipts.size()));
  out.set_cohort(static_cast<std::int64_t>(assignments.size()));
  FED_ASSIGN_OR_RETURN(const Scalars metrics, view.RoundMetrics(round.job, round.round));
  out.mutable_metrics()->insert(metrics.begin(), metrics.end());
  if (round.state == RoundState::kPublished) {
    const ModelVersion made{round.base.value + 1};
    out.set_version(made.value);
    FED_ASSIGN_OR_RETURN(const Scalars scalars, ScalarsOfVersion(view, round.job, made));
    out.mutable_evaluation()->insert(scalars.begin(), scalars.end());
  }
  return out;
}

v1::Participant ViewOf(const AssignmentRecord& assignment) {
  v1::Participant out;
  out.set_assignment(assignment.assignment.value);
  out.set_client(assignment.client.value);
  out.set_state(NameOf(assignment.state));
  out.set_reason(assignment.reason);
  out.set_last_sign_ms_ago(-1);
  return out;
}

void Put(const LiveParticipant& live, v1::Participant& out) {
  out.set_stage(NameOf(live.stage));
  out.set_step(live.step);
  out.set_steps(live.steps);
  out.set_loss(live.loss);
  out.set_last_sign_ms_ago(absl::ToInt64Milliseconds(live.since_last_sign));
}

void Put(const Receipt& receipt, v1::Participant& out) {
  out.set_receipt(NameOf(receipt.end));
  out.set_receipt_reason(receipt.reason);
  out.set_bytes(receipt.bytes);
}

// The round itself, or the newest for 0.
StatusOr<RoundRecord> FindRound(const StoreView& view, const JobId& job, RoundId round) {
  if (round.value != 0) return view.Round(job, round);
  FED_ASSIGN_OR_RETURN(std::vector<RoundRecord> newest, view.Rounds(job, 1));
  if (newest.empty()) {
    return Status(StatusCode::kNotFound, "job '" + job.value + "' has opened no round yet");
  }
  return std::move(newest.front());
}

Status PutParticipants(const StoreView& view, const RoundRecord& round,
                       const std::map<AssignmentId, LiveParticipant>& live,
                       v1::ShowRoundReply& reply) {
  FED_ASSIGN_OR_RETURN(const std::vector<Receipt> receipts, view.Receipts(round.job, round.round));
  std::map<AssignmentId, const Receipt*> receipt_of;
  for (const Receipt& receipt : receipts) receipt_of[receipt.assignment] = &receipt;
  FED_ASSIGN_OR_RETURN(const std::vector<AssignmentRecord> assignments,
                       view.Assignments(round.job, round.round));
  for (const AssignmentRecord& assignment : assignments) {
    v1::Participant& out = *reply.add_participants();
    out = ViewOf(assignment);
    const StatusOr<ClientRecord> client = view.Client(assignment.client);
    if (client.ok()) out.set_client_name(client->name);
    const auto sign = live.find(assignment.assignment);
    if (sign != live.end()) Put(sign->second, out);
    const auto receipt = receipt_of.find(assignment.assignment);
    if (receipt != receipt_of.end()) Put(*receipt->second, out);
  }
  return Status();
}

}  // namespace

StatusOr<v1::Round> AdminViews::Round(const JobId& job, RoundId round) const {
  v1::Round out;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const RoundRecord record, FindRound(view, job, round));
    FED_ASSIGN_OR_RETURN(out, ViewOf(view, record));
    return Status();
  }));
  return out;
}

StatusOr<v1::ListRoundsReply> AdminViews::Rounds(const JobId& job, std::int64_t limit) const {
  v1::ListRoundsReply reply;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_RETURN_IF_ERROR(view.Job(job).status());
    FED_ASSIGN_OR_RETURN(const std::vector<RoundRecord> rounds,
                         view.Rounds(job, limit > 0 ? limit : kDefaultRounds));
    for (const RoundRecord& round : rounds) {
      FED_ASSIGN_OR_RETURN(*reply.add_rounds(), ViewOf(view, round));
    }
    return Status();
  }));
  return reply;
}

StatusOr<v1::ShowRoundReply> AdminViews::RoundInFull(const JobId& job, RoundId round) const {
  RoundRecord record;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_RETURN_IF_ERROR(view.Job(job).status());
    FED_ASSIGN_OR_RETURN(record, FindRound(view, job, round));
    return Status();
  }));
  std::map<AssignmentId, LiveParticipant> live;
  for (LiveParticipant& participant : coordinator_.LiveParticipants(job, record.round)) {
    live.emplace(participant.assignment, std::move(participant));
  }
  v1::ShowRoundReply reply;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(record, view.Round(job, record.round));
    FED_ASSIGN_OR_RETURN(*reply.mutable_round(), ViewOf(view, record));
    return PutParticipants(view, record, live, reply);
  }));
  return reply;
}

}  // namespace fed::server
