// The steps of a turn stand in the order in which they happen.
#include "client_sdk/session/device_session.h"

#include <sys/utsname.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "client_sdk/session/retry.h"
#include "common/base/limits.h"

namespace fed::client {
namespace {

constexpr absl::Duration kShortestPause = absl::Milliseconds(100);

std::string Platform() {
  utsname names{};
  if (::uname(&names) != 0) return "unknown";
  return absl::AsciiStrToLower(absl::StrCat(names.sysname, "-", names.machine));
}

Status SettleAll(Outbox& outbox, const wire::CheckInReply& reply) {
  const auto* assignment = std::get_if<wire::Assignment>(&reply.work);
  for (const wire::ReceiptEnd& end : reply.ends) {
    FED_RETURN_IF_ERROR(outbox.Settle(end));
    // What the server knows nothing of will never count, unless it asks for it once more right now.
    const bool asked_again = assignment != nullptr && assignment->ref == end.ref;
    if (asked_again || !outbox.HasUnsent(end.ref)) continue;
    FED_RETURN_IF_ERROR(outbox.Drop(end.ref));
  }
  return {};
}

absl::string_view EndName(wire::ReceiptEnd::End end) {
  switch (end) {
    case wire::ReceiptEnd::End::kCounted:
      return "counted";
    case wire::ReceiptEnd::End::kDiscarded:
      return "discarded";
    case wire::ReceiptEnd::End::kUnknown:
      break;
  }
  return "unknown";
}

}  // namespace

DeviceSession::DeviceSession(const SessionContext::Parts& parts, TransportFactory& factory,
                             std::function<void(Status)> ended)
    : context_(std::make_shared<SessionContext>(parts)),
      factory_(factory),
      ended_(std::move(ended)),
      backoff_(context_->NewBackoff()),
      identity_(std::make_shared<Identity>(*context_, factory)) {}

void DeviceSession::Start() { Turn(); }

void DeviceSession::Turn() {
  if (ending_) return;
  identity_->Prepare(transport_.get(),
                     [this](StatusOr<bool> changed) { OnIdentity(std::move(changed)); });
}

void DeviceSession::OnIdentity(StatusOr<bool> changed) {
  Status status = changed.ok() ? Status() : changed.status();
  if (status.ok() && (*changed || transport_ == nullptr)) status = Connect();
  if (VerdictOfCheckIn(status) == Verdict::kGiveUp) return End(status);
  if (!status.ok()) return PauseAfter(status, "identity.failed");
  if (outbox_ == nullptr) return OpenState();
  SendUnsent();
}

Status DeviceSession::Connect() {
  identity_->LogAdvice();
  transport_ = nullptr;  // its connection is the old identity's
  FED_ASSIGN_OR_RETURN(transport_,
                       factory_.Connect(context_->options.server, identity_->credentials()));
  return {};
}

void DeviceSession::OpenState() {
  context_->Work(
      *this,
      [context = context_.get()]() -> StatusOr<std::shared_ptr<State>> {
        const ClientOptions& options = context->options;
        auto state = std::make_shared<State>();
        FED_ASSIGN_OR_RETURN(state->outbox, Outbox::Open(context->files, context->log,
                                                         {JoinPath(options.state_dir, "outbox"),
                                                          JoinPath(options.state_dir, "local"),
                                                          options.durability}));
        FED_ASSIGN_OR_RETURN(state->cache, ModelCache::Open(context->files, context->log,
                                                            JoinPath(options.state_dir, "cache"),
                                                            options.limits.max_cache_bytes));
        return state;
      },
      [](DeviceSession& self, StatusOr<std::shared_ptr<State>> state) {
        self.OnState(std::move(state));
      });
}

void DeviceSession::OnState(StatusOr<std::shared_ptr<State>> state) {
  if (ending_) return;
  if (!state.ok()) return PauseAfter(state.status(), "state.failed");
  outbox_ = std::move((*state)->outbox);
  cache_ = std::move((*state)->cache);
  training_ = std::make_unique<LocalTraining>(*context_, *outbox_);
  for (const auto& [ref, entry] : outbox_->entries()) {
    if (entry == Outbox::State::kUnsent) send_first_.insert(ref);
  }
  SendUnsent();
}

void DeviceSession::SendUnsent() {
  if (send_first_.empty()) return AskForWork();
  Report(ClientProgress::Stage::kUploading, send_first_.begin()->job.value);
  delivery_ = std::make_shared<Delivery>(*context_, *transport_, *outbox_, *send_first_.begin(),
                                         std::make_shared<TrainingSigns>(),
                                         [this](const Status& status) { OnDelivered(status); });
  delivery_->Start();
}

void DeviceSession::OnDelivered(const Status& status) {
  if (VerdictOf(status) == Verdict::kGiveUp) return End(status);
  if (!status.ok() && status.code() != StatusCode::kAborted) {
    return PauseAfter(status, "update.not_sent");
  }
  send_first_.erase(send_first_.begin());
  SendUnsent();
}

void DeviceSession::AskForWork() {
  Report(ClientProgress::Stage::kWaiting, context_->options.job);
  if (context_->options.eligible && !context_->options.eligible()) {
    return Pause(context_->Jittered(absl::FromChrono(context_->options.retry_longest)));
  }
  call_ = transport_->CheckIn(
      CheckInRequest(),
      context_->OnEvents(*this, [](DeviceSession& self, StatusOr<wire::CheckInReply> reply) {
        self.OnCheckIn(std::move(reply));
      }));
}

wire::CheckInRequest DeviceSession::CheckInRequest() const {
  const ClientOptions& options = context_->options;
  wire::CheckInRequest request;
  request.abilities.sdk_version = FED_SDK_VERSION;
  request.abilities.platform = Platform();
  request.abilities.codecs = {"fp32"};
  request.abilities.examples = options.examples;
  request.abilities.state_in_use = outbox_->KeepsLocal();
  request.labels = options.labels;
  if (!options.job.empty()) request.jobs = {JobId{options.job}};
  for (const auto& [ref, entry] : outbox_->entries()) {
    if (request.unsettled.size() < static_cast<std::size_t>(kMaxUnsettled)) {
      request.unsettled.push_back(ref);
    }
  }
  request.hold = kMaxPollHold;
  return request;
}

void DeviceSession::OnCheckIn(StatusOr<wire::CheckInReply> reply) {
  if (ending_) return;
  call_ = nullptr;
  if (VerdictOfCheckIn(reply.status()) == Verdict::kGiveUp) return End(reply.status());
  if (!reply.ok()) return PauseAfter(reply.status(), "check_in.failed");
  for (const wire::ReceiptEnd& end : reply->ends) {
    context_->log.Info("update.settled", {{"job", end.ref.job.value},
                                          {"assignment", end.ref.assignment.value},
                                          {"end", EndName(end.end)},
                                          {"version", end.version.value},
                                          {"why", end.reason}});
    Report(ClientProgress::Stage::kSettled, end.ref.job.value);
  }
  if (reply->ends.empty()) return OnSettled(Status(), *reply);
  context_->Work(
      *this, [outbox = outbox_.get(), told = *reply] { return SettleAll(*outbox, told); },
      [told = *reply](DeviceSession& self, const Status& status) { self.OnSettled(status, told); });
}

void DeviceSession::OnSettled(const Status& status, const wire::CheckInReply& reply) {
  if (ending_) return;
  if (!status.ok()) return PauseAfter(status, "state.failed");
  if (const auto* later = std::get_if<wire::ComeBack>(&reply.work)) return OnComeBack(*later);
  Participate(std::get<wire::Assignment>(reply.work));
}

void DeviceSession::OnComeBack(const wire::ComeBack& come_back) {
  backoff_.Reset();
  const bool all_ended = come_back.reason == wire::ComeBack::Reason::kJobsEnded;
  if (all_ended && !context_->options.job.empty()) return End(Status());
  context_->log.Debug("check_in.come_back", {{"why", come_back.text}});
  Pause(std::max(come_back.after, kShortestPause));
}

void DeviceSession::Participate(const wire::Assignment& assignment) {
  context_->log.Info("assignment.begins", {{"job", assignment.ref.job.value},
                                           {"assignment", assignment.ref.assignment.value},
                                           {"round", assignment.round.value},
                                           {"version", assignment.base.value}});
  participation_ = std::make_shared<Participation>(
      Workplace{*context_, *outbox_, *cache_, *training_}, *transport_, assignment,
      [this](const Status& status) { OnParticipated(status); });
  participation_->Start();
}

void DeviceSession::OnParticipated(const Status& status) {
  if (ending_) return;
  if (status.ok()) {
    backoff_.Reset();
    return Pause(absl::ZeroDuration());
  }
  if (VerdictOf(status) == Verdict::kGiveUp) return End(status);
  PauseAfter(status, "assignment.ended");
}

void DeviceSession::Pause(absl::Duration wait) {
  if (ending_) return;
  context_->After(wait, *this, [](DeviceSession& self) { self.Turn(); });
}

void DeviceSession::PauseAfter(const Status& status, absl::string_view event) {
  if (ending_) return;
  const absl::Duration wait = backoff_.Next();
  context_->log.Warn(event, {{"why", status.message()}, {"after", absl::FormatDuration(wait)}});
  // A refused handshake looks like a server that is away.
  if (status.code() == StatusCode::kUnavailable) identity_->LogAdvice();
  Pause(wait);
}

void DeviceSession::Stop() { End(Status(StatusCode::kCancelled, "stopped")); }

void DeviceSession::End(Status status) {
  if (ending_) return;
  ending_ = true;
  identity_->Stop();
  call_ = nullptr;
  if (delivery_ != nullptr) delivery_->Stop();
  if (participation_ != nullptr) participation_->Stop();
  context_->WhenIdle([this, status = std::move(status)] {
    transport_ = nullptr;
    std::exchange(ended_, nullptr)(status);
  });
}

void DeviceSession::Report(ClientProgress::Stage stage, const std::string& job) const {
  ClientProgress progress;
  progress.job = job;
  progress.stage = stage;
  context_->Report(progress);
}

}  // namespace fed::client
