// Weak contexts by the address of their entries.
#include "client_sdk/transport/open_calls.h"

#include <vector>

#include "grpc/support/time.h"

namespace fed::client {
namespace {

class ContextCall final : public Call {
 public:
  explicit ContextCall(std::weak_ptr<grpc::ClientContext> context) : context_(std::move(context)) {}
  ~ContextCall() override { Cancel(); }
  void Cancel() override {
    if (const auto context = context_.lock()) context->TryCancel();
  }

 private:
  const std::weak_ptr<grpc::ClientContext> context_;
};

}  // namespace

OpenCalls::~OpenCalls() {
  std::vector<std::weak_ptr<grpc::ClientContext>> open;
  {
    MutexLock lock(mu_);
    for (const auto& [entry, context] : open_) open.push_back(context);
  }
  for (const auto& weak : open) {  // may call back: not under the lock
    if (const auto context = weak.lock()) context->TryCancel();
  }
  MutexLock lock(mu_);
  while (!open_.empty()) changed_.wait(mu_);
}

void OpenCalls::Add(const Entry* entry) {
  MutexLock lock(mu_);
  open_[entry];
}

void OpenCalls::Set(const Entry* entry, std::weak_ptr<grpc::ClientContext> context) {
  MutexLock lock(mu_);
  open_[entry] = std::move(context);
}

void OpenCalls::Remove(const Entry* entry) {
  MutexLock lock(mu_);
  open_.erase(entry);
  changed_.notify_all();
}

std::unique_ptr<Call> NewCall(std::weak_ptr<grpc::ClientContext> context) {
  return std::make_unique<ContextCall>(std::move(context));
}

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN)));
}

}  // namespace fed::client
