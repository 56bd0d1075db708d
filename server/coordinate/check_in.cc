// From a request to an answer or a place in the pool.
#include "server/coordinate/check_in.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/coordinate/job_change.h"
#include "server/coordinate/settlement.h"

namespace fed::server {
namespace {

using Reason = wire::ComeBack::Reason;

Status RevokedStatus() {
  return Status(StatusCode::kPermissionDenied, "this identity has been revoked");
}

bool HasState(const Device& device) { return device.request.abilities.state_in_use; }

}  // namespace

void CheckInDesk::Take(const std::shared_ptr<HeldPoll>& poll) {
  if (AnswerAtOnce(*poll)) return;
  StatusOr<Known> known = Look(poll->device());
  if (!known.ok()) {
    poll->Answer(known.status());
    return;
  }
  poll->set_labels(known->labels);
  const Device& device = poll->device();
  book_.Seen(device);

  wire::CheckInReply reply;
  reply.ends = known->ends;
  reply.work = context_->ComeBackAtOnce();
  for (const auto& job : JobsOf(device)) {
    std::optional<wire::Assignment> again = job->Again(device.caller.id);
    if (!again) continue;
    reply.work = *std::move(again);
    poll->Answer(std::move(reply));
    return;
  }
  if (!reply.ends.empty()) {
    poll->Answer(std::move(reply));
    return;
  }
  Choice choice = Choose(device, *known);
  if (!choice.waits_for.empty()) {
    Hold(poll, std::move(choice));
  } else {
    const Reason reason = choice.all_ended ? Reason::kJobsEnded : Reason::kNoJob;
    poll->ComeBack(context_->ComeBack(reason, std::move(choice.text)));
  }
}

bool CheckInDesk::AnswerAtOnce(HeldPoll& poll) {
  if (context_->draining()) {
    poll.ComeBack(context_->ComeBack(Reason::kShuttingDown, "the server shuts down"));
    return true;
  }
  if (!context_->parts.revocations.IsRevoked(poll.device().caller.id)) return false;
  poll.Answer(RevokedStatus());
  return true;
}

StatusOr<CheckInDesk::Known> CheckInDesk::Look(const Device& device) const {
  Known known;
  const ClientId& client = device.caller.id;
  FED_RETURN_IF_ERROR(context_->parts.store.Read([&](const StoreView& view) -> Status {
    const StatusOr<ClientRecord> row = view.Client(client);
    if (!row.ok() && row.status().code() != StatusCode::kNotFound) return row.status();
    known.labels = MergedLabels(row.ok() ? row->labels : Labels{}, device.request.labels);
    FED_ASSIGN_OR_RETURN(known.ends, EndsOf(view, client, device.request.unsettled));
    if (!HasState(device)) return Status();
    for (const auto& job : JobsOf(device)) {
      FED_ASSIGN_OR_RETURN(const bool open, view.HasOpenReceipt(job->terms().spec.id, client));
      if (open) known.with_open_receipt.push_back(job->terms().spec.id);
    }
    return Status();
  }));
  return known;
}

std::vector<std::shared_ptr<JobRunner>> CheckInDesk::JobsOf(const Device& device) const {
  if (device.request.jobs.empty()) return jobs_.All();
  std::vector<std::shared_ptr<JobRunner>> named;
  for (const JobId& id : device.request.jobs) {
    if (auto job = jobs_.Find(id)) named.push_back(std::move(job));
  }
  return named;
}

CheckInDesk::Choice CheckInDesk::Choose(const Device& device, const Known& known) const {
  Choice choice;
  std::size_t ended = 0;
  for (auto& job : JobsOf(device)) {
    const JobState state = job->state();
    if (HasEnded(state)) ++ended;
    if (HasEnded(state) || state == JobState::kDraft) continue;
    const JobTerms& terms = job->terms();
    JobAdmission admission =
        Admit(terms, device.caller.role, device.labels, device.request.abilities);
    if (admission.kind != JobAdmission::Kind::kWelcome) {
      choice.text = std::move(admission.text);
      continue;
    }
    const auto& open = known.with_open_receipt;
    if (std::find(open.begin(), open.end(), terms.spec.id) == open.end()) {
      choice.queues.push_back(terms.spec.id);
    }
    choice.waits_for.push_back(std::move(job));
  }
  const std::size_t named = device.request.jobs.size();
  choice.all_ended = named > 0 && ended == named;
  if (choice.all_ended) choice.text = "every job that the device takes part in has ended";
  if (choice.text.empty()) choice.text = "no job runs that the device takes part in";
  return choice;
}

void CheckInDesk::Hold(const std::shared_ptr<HeldPoll>& poll, Choice choice) {
  const Device& device = poll->device();
  context_->pool.Add({poll, std::move(choice.queues)});
  context_->parts.executor.PostAt(
      device.until, [weak = weak_from_this(), waiting = std::weak_ptr<HeldPoll>(poll)] {
        const auto self = weak.lock();
        const auto held = waiting.lock();
        if (self && held) self->Expire(held);
      });
  // What came between the look and the pool was told to those in the pool only: look again.
  StatusOr<Known> known = device.request.unsettled.empty() ? Known{} : Look(device);
  const bool settled = known.ok() && !known->ends.empty();
  const bool unwelcome =
      context_->draining() || context_->parts.revocations.IsRevoked(device.caller.id);
  if ((settled || unwelcome || poll->cancelled()) && context_->pool.Remove(*poll)) {
    if (AnswerAtOnce(*poll)) return;
    wire::CheckInReply reply;
    if (settled) reply.ends = std::move(known->ends);
    reply.work = context_->ComeBackAtOnce();
    poll->Answer(std::move(reply));
    return;
  }
  for (const auto& job : choice.waits_for) job->PoolChanged();
}

void CheckInDesk::Expire(const std::shared_ptr<HeldPoll>& poll) {
  if (!context_->pool.Remove(*poll)) return;
  const Device& device = poll->device();
  wire::ComeBack come_back = context_->ComeBackAtOnce();
  std::string paused;
  for (const auto& job : JobsOf(device)) {
    if (job->state() == JobState::kRunning) paused.clear();
    if (job->state() == JobState::kRunning) break;
    if (job->state() == JobState::kPaused) {
      paused = absl::StrCat("job \"", job->terms().spec.id.value, "\" is paused");
    }
  }
  if (!paused.empty()) {
    come_back.reason = Reason::kJobPaused;
    come_back.text = std::move(paused);
  }
  poll->ComeBack(std::move(come_back));
}

void CheckInDesk::Join(JobRunner& job) {
  const JobTerms& terms = job.terms();
  context_->pool.Join(terms.spec.id, [&](const Device& device) {
    return device.Accepts(terms.spec.id) &&
           Admit(terms, device.caller.role, device.labels, device.request.abilities).kind ==
               JobAdmission::Kind::kWelcome;
  });
  job.PoolChanged();
}

}  // namespace fed::server
