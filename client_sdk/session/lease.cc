// A timer and one small call.
#include "client_sdk/session/lease.h"

#include <utility>

#include "client_sdk/session/retry.h"

namespace fed::client {

Lease::Lease(SessionContext& context, Transport& transport, const wire::Assignment& assignment,
             std::shared_ptr<TrainingSigns> signs, std::function<void(Status)> lost)
    : context_(context),
      transport_(transport),
      ref_(assignment.ref),
      renew_every_(assignment.renew_every),
      signs_(std::move(signs)),
      lost_(std::move(lost)) {}

void Lease::Start() {
  if (renew_every_ > absl::ZeroDuration()) Wait();
}

void Lease::Wait() {
  context_.After(renew_every_, *this, [](Lease& self) { self.Renew(); });
}

void Lease::Renew() {
  if (!lost_) return;
  Wait();
  if (call_ != nullptr) return;  // the one before is still on its way
  wire::RenewRequest request;
  request.ref = ref_;
  request.stage = stage_;
  request.step = signs_->step;
  request.steps = signs_->steps;
  request.loss = signs_->loss;
  call_ = transport_.Renew(
      request, context_.OnEvents(*this, [](Lease& self, StatusOr<wire::RenewReply> reply) {
        self.OnReply(std::move(reply));
      }));
}

void Lease::OnReply(StatusOr<wire::RenewReply> reply) {
  call_ = nullptr;
  if (reply.ok()) {
    signs_->SetDeadline(context_.clock.Now() + reply->remaining);
    if (!reply->go_on) Lose(Status(StatusCode::kAborted, reply->reason));
    return;
  }
  // A sign of life that did not arrive is made up for by the next one.
  if (VerdictOf(reply.status()) != Verdict::kRepeat) Lose(reply.status());
}

void Lease::Lose(Status why) {
  if (lost_) std::exchange(lost_, nullptr)(std::move(why));
}

}  // namespace fed::client
