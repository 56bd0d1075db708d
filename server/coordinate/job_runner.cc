// One job's life, level-triggered: each event changes what is known, then Advance does what is due.
//
//   1  No reply names an assignment before the transaction that wrote it.
//   2  At most one round is active, and it starts from the newest version.
//   3  While a fold runs, its round is in stage kFold and changes by nothing else.
#include "server/coordinate/job_runner.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "server/coordinate/assignment_factory.h"
#include "server/coordinate/cohort_draw.h"
#include "server/coordinate/job_change.h"
#include "server/coordinate/retention.h"
#include "server/coordinate/settlement.h"
#include "server/coordinate/version_catalog.h"
#include "server/round/schedule.h"

namespace fed::server {
namespace {

constexpr absl::Duration kRetryFirst = absl::Seconds(1);
constexpr absl::Duration kRetryLongest = absl::Seconds(30);

}  // namespace

JobRunner::JobRunner(std::shared_ptr<Context> context, SavedJob saved)
    : context_(std::move(context)),
      terms_(saved.terms),
      record_(std::move(saved.job)),
      latest_(std::move(saved.latest)),
      published_(saved.published),
      last_round_(saved.last_round),
      next_assignment_{saved.last_assignment.value + 1},
      last_ended_(context_->parts.clock.Now()),
      last_published_(last_ended_),
      saved_round_(std::move(saved.round)),
      desk_(*context_, terms_),
      retry_(kRetryFirst, kRetryLongest, RandomStream(0, RandomPurpose::kBackoff, 0)) {
  for (const auto& [version, known] : saved.evaluations) desk_.AddVersion(version, known);
}

Status JobRunner::Begin() {
  MutexLock lock(mu_);
  if (const auto saved = std::exchange(saved_round_, std::nullopt)) {
    FED_ASSIGN_OR_RETURN(RoundRun restored,
                         RoundRun::Restore(*context_, terms_->policy, *saved, IsOver()));
    round_.emplace(std::move(restored));
  }
  Advance();
  return Status();
}

JobState JobRunner::state() const {
  MutexLock lock(mu_);
  return record_.state;
}

std::optional<wire::Assignment> JobRunner::Again(const ClientId& client) {
  MutexLock lock(mu_);
  if (IsOver()) return std::nullopt;
  const AssignmentRecord* row = round_ ? round_->RowOf(client) : nullptr;
  if (row == nullptr) return desk_.Again(client);
  const absl::Time now = context_->parts.clock.Now();
  const StatusOr<Digest> manifest = BaseManifest();
  if (!manifest.ok() || !round_->On(Returned{client}, now).ok()) return std::nullopt;
  const absl::Duration remaining = round_->DeadlineOf(client) - now;
  wire::Assignment again = MakeAssignment(*terms_, *row, *manifest, remaining);
  Advance();
  return again;
}

void JobRunner::PoolChanged() {
  MutexLock lock(mu_);
  Advance();
}

wire::RenewReply JobRunner::Renew(const ClientId& client, const wire::RenewRequest& request) {
  MutexLock lock(mu_);
  if (const auto reply = desk_.Renew(client, request)) return *reply;
  if (round_) {
    const auto reply = round_->Renew(client, request);
    if (round_->has_unwritten()) Advance();
    if (reply) return *reply;
  }
  wire::RenewReply stop;
  stop.go_on = false;
  stop.reason = "the assignment no longer counts";
  return stop;
}

StatusOr<wire::EvaluationReply> JobRunner::Report(const ClientId& client,
                                                  const wire::EvaluationReport& report) {
  MutexLock lock(mu_);
  FED_ASSIGN_OR_RETURN(const EvaluationDesk::Taken taken, desk_.Report(client, report, IsOver()));
  if (taken.is_new) {
    context_->watchers.Tell({record_.id, RoundId{}, taken.version});
    Advance();
  }
  return taken.reply;
}

void JobRunner::Accepted(const Receipt& receipt) {
  MutexLock lock(mu_);
  if (!round_ || round_->row().round != receipt.joins) return;  // counted by the store already
  round_->Accept(receipt);
  Tell(receipt.joins);
  Advance();
}

void JobRunner::Rejected(const ClientId& client, AssignmentId assignment,
                         const std::string& reason) {
  MutexLock lock(mu_);
  const AssignmentRecord* row = round_ ? round_->RowOf(client) : nullptr;
  if (row == nullptr || row->assignment != assignment) return;  // over: nothing to refuse
  const Status status = round_->On(server::Rejected{client, reason}, context_->parts.clock.Now());
  FED_DCHECK(status.ok());
  Advance();
}

void JobRunner::Revoked(const ClientId& client) {
  MutexLock lock(mu_);
  if (round_) {
    const Status status = round_->On(server::Revoked{client}, context_->parts.clock.Now());
    FED_DCHECK(status.ok());
  }
  const Status status = desk_.Revoke(client);
  if (!status.ok()) context_->parts.log.Warn("evaluation.kept", {{"reason", status.message()}});
  Advance();
}

StatusOr<JobRecord> JobRunner::Order(const std::string& action, const std::string& reason) {
  MutexLock lock(mu_);
  FED_RETURN_IF_ERROR(Change(action, reason));
  if (IsOver() && round_ && round_->stage() == RoundStage::kOpen) {
    FED_RETURN_IF_ERROR(round_->On(Cancelled{kJobStopped}, context_->parts.clock.Now()));
  }
  const JobRecord changed = record_;
  Advance();
  return changed;
}

Status JobRunner::Change(const std::string& action, const std::string& reason) {
  FED_ASSIGN_OR_RETURN(record_, ChangeJob(*context_, terms_->spec.id, action, reason));
  Tell(RoundId{});
  return Status();
}

LiveJob JobRunner::Live() const {
  MutexLock lock(mu_);
  LiveJob live;
  live.waiting = context_->pool.Count(record_.id, wire::Purpose::kTrain);
  live.waiting_for = waiting_for_;
  if (round_) live.open_round = round_->row().round;
  return live;
}

std::vector<LiveParticipant> JobRunner::Participants(RoundId round) const {
  MutexLock lock(mu_);
  if (!round_ || round_->row().round != round) return {};
  return round_->Participants(context_->parts.clock.Now());
}

void JobRunner::Advance() {
  if (context_->halted()) return;
  const absl::Time now = context_->parts.clock.Now();
  wake_ = absl::InfiniteFuture();
  if (round_) AdvanceRound(now);
  if (!round_) BetweenRounds(now);
  if (IsOver()) {
    for (const Pool::Entry& entry : context_->pool.TakeQueues(record_.id)) {
      entry.poll->ComeBack(context_->ComeBackAtOnce());  // and is told then that it is over
    }
  } else {
    Evaluate();
  }
  if (round_) wake_ = std::min(wake_, round_->round().next_wake());
  wake_ = std::min(wake_, desk_.next_wake());
  if (retry_at_ > now) wake_ = std::min(wake_, retry_at_);
  WakeAt(wake_);
}

void JobRunner::AdvanceRound(absl::Time now) {
  waiting_for_.clear();
  const Status ticked = round_->On(Ticked{}, now);
  FED_DCHECK(ticked.ok());
  if (now < retry_at_ || folding_) return;
  if (round_->has_unwritten()) {
    if (const Status status = round_->Write(); !status.ok()) {
      RetryLater("round.not_written", status);
      return;
    }
    retry_.Reset();
    Tell(round_->row().round);
  }
  if (round_->stage() == RoundStage::kOpen) DrawReplacements(now);
  if (round_->stage() == RoundStage::kFold) StartFold(now);
  if (round_->stage() == RoundStage::kDiscard) Discard();
}

void JobRunner::BetweenRounds(absl::Time now) {
  waiting_for_.clear();
  if (record_.state == JobState::kPaused) waiting_for_ = absl::StrCat("paused: ", record_.reason);
  if (record_.state != JobState::kRunning || context_->draining() || now < retry_at_) return;
  Between between;
  between.published = published_;
  between.failed_in_a_row = record_.failed_in_a_row;
  between.last_ended = last_ended_;
  between.waiting = context_->pool.Count(record_.id, wire::Purpose::kTrain);
  between.waiting_since = context_->pool.Since(record_.id, wire::Purpose::kTrain);
  const Decision decision = Decide(terms_->spec, between, now);
  if (std::holds_alternative<OpenRound>(decision)) {
    Open(now);
  } else if (std::holds_alternative<server::Finish>(decision)) {
    Finish(now);
  } else if (const auto* pause = std::get_if<server::Pause>(&decision)) {
    const Status status = Change("pause", pause->reason);
    if (!status.ok()) RetryLater("job.not_written", status);
  } else if (const auto* wait = std::get_if<Wait>(&decision)) {
    waiting_for_ = wait->why;
    wake_ = std::min(wake_, wait->until);
  }
}

void JobRunner::Open(absl::Time now) {
  const RoundId id{last_round_.value + 1};
  round_.emplace(*context_, terms_->policy, RoundRun::Opening{record_.id, id, latest_.version},
                 now);  // 2
  if (!Draw(context_->pool.Waiting(record_.id, wire::Purpose::kTrain), terms_->policy.cohort_size,
            terms_->policy.min_updates)) {
    round_.reset();
    return;
  }
  last_round_ = id;
  bytes_down_ = 0;
  Tell(id);
}

void JobRunner::DrawReplacements(absl::Time now) {
  const int places = round_->round().open_places();
  if (places == 0 || context_->draining() || now >= round_->round().deadline()) return;
  std::vector<ClientId> fresh;
  for (ClientId& client : context_->pool.Waiting(record_.id, wire::Purpose::kTrain)) {
    if (!round_->was_drawn(client)) fresh.push_back(std::move(client));
  }
  if (!fresh.empty()) Draw(std::move(fresh), places, 1);
}

// False: nobody was drawn (others took them, or it could not be written).
bool JobRunner::Draw(std::vector<ClientId> waiting, int places, int at_least) {
  const StatusOr<Digest> manifest = BaseManifest();
  if (!manifest.ok()) {
    RetryLater("round.not_drawn", manifest.status());
    return false;
  }
  const StatusOr<int> drawn =
      DrawFromPool(*context_, {*terms_, *manifest, std::move(waiting), places, at_least}, *round_,
                   next_assignment_);
  if (!drawn.ok()) RetryLater("round.not_drawn", drawn.status());
  return drawn.ok() && *drawn > 0;
}

void JobRunner::Discard() {
  const StatusOr<bool> counts = round_->WriteFailed();
  if (!counts.ok()) {
    RetryLater("round.not_written", counts.status());
    return;
  }
  if (*counts) ++record_.failed_in_a_row;
  EndRound();
}

void JobRunner::StartFold(absl::Time now) {
  if (folding_ || now < retry_at_ || !context_->BeginWork()) return;
  folding_ = true;
  context_->parts.fold.Post([weak = weak_from_this(), context = context_] {
    if (const auto self = weak.lock()) self->FoldOnce();
    context->EndWork();
  });
}

void JobRunner::FoldOnce() {
  RoundRecord row;
  bool verify = false;
  {
    MutexLock lock(mu_);
    row = round_->row();  // 3
    verify = round_->verify();
  }
  const StatusOr<Publisher::Published> published = Publisher(*context_).Publish(
      *terms_, row, verify, {{"bytes_down", static_cast<double>(bytes_down_.load())}});

  MutexLock lock(mu_);
  folding_ = false;
  if (published.ok()) {
    TakeVersion(*published);
  } else if (published.status().code() == StatusCode::kFailedPrecondition) {
    const Status status =
        round_->On(FoldFailed{published.status().message()}, context_->parts.clock.Now());
    FED_DCHECK(status.ok());
  } else {
    RetryLater("round.not_published", published.status());
  }
  Advance();
}

void JobRunner::TakeVersion(const Publisher::Published& published) {
  last_published_ = context_->parts.clock.Now();
  Status status = round_->On(Folded{}, last_published_);
  if (status.ok()) status = round_->On(Committed{}, last_published_);
  FED_DCHECK(status.ok());
  latest_ = published.model;
  manifest_.reset();
  ++published_;
  record_.failed_in_a_row = 0;
  desk_.AddVersion(latest_.version, {});
  EndRound();
  LetVersionsGo();
}

void JobRunner::EndRound() {
  retry_.Reset();
  const RoundId id = round_->row().round;
  CleanUp(*context_, record_.id, round_->rows());
  round_.reset();
  last_ended_ = context_->parts.clock.Now();
  Tell(id);
}

void JobRunner::Finish(absl::Time now) {
  const EvaluationSpec& evaluation = terms_->spec.evaluation;
  const absl::Time until = last_published_ + evaluation.timeout;
  if (evaluation.every > 0 && !desk_.IsSettled(latest_.version) && now < until) {
    waiting_for_ = absl::StrCat("evaluation of version ", latest_.version.value);
    wake_ = std::min(wake_, until);
    return;
  }
  const Status status = Change("complete", "");
  if (!status.ok()) RetryLater("job.not_written", status);
}

void JobRunner::LetVersionsGo() {
  std::set<ModelVersion> in_use = desk_.in_use();
  in_use.insert(latest_.version);
  const auto let_go = Retain(*context_, terms_->spec, in_use);
  if (!let_go.ok()) {
    context_->parts.log.Warn("versions.kept", {{"reason", let_go.status().message()}});
    return;
  }
  for (const ModelVersion& version : *let_go) desk_.ForgetVersion(version);
}

void JobRunner::Evaluate() {
  if (context_->draining() || context_->parts.clock.Now() < retry_at_) return;
  Status status = desk_.Expire();
  if (status.ok()) status = desk_.Serve(next_assignment_);
  if (!status.ok()) RetryLater("evaluation.not_written", status);
}

bool JobRunner::IsOver() const { return HasEnded(record_.state); }

StatusOr<Digest> JobRunner::BaseManifest() {
  if (!manifest_) {
    FED_ASSIGN_OR_RETURN(const Manifest manifest, MakeManifest(latest_, context_->parts.blobs));
    manifest_ = ManifestDigest(manifest);
  }
  return *manifest_;
}

// ENOSPC, EIO and the like: nothing is lost by looking again later.
void JobRunner::RetryLater(const char* event, const Status& status) {
  if (context_->halted()) return;
  const absl::Duration pause = retry_.Next();
  retry_at_ = context_->parts.clock.Now() + pause;
  context_->parts.log.Error(event, {{"job", record_.id.value},
                                    {"reason", status.message()},
                                    {"retry_ms", absl::ToInt64Milliseconds(pause)}});
}

void JobRunner::WakeAt(absl::Time time) {
  if (time >= timer_) return;
  timer_ = time;
  context_->parts.executor.PostAt(time, [weak = weak_from_this(), time] {
    const auto self = weak.lock();
    if (!self) return;
    MutexLock lock(self->mu_);
    if (self->timer_ != time) return;  // an earlier one has taken its place
    self->timer_ = absl::InfiniteFuture();
    self->Advance();
  });
}

void JobRunner::Tell(RoundId round) {
  context_->watchers.Tell({record_.id, round, ModelVersion{-1}});
}

}  // namespace fed::server
