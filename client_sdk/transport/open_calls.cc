// Contexts by address.
#include "client_sdk/transport/open_calls.h"

#include <vector>

#include "grpc/support/time.h"

namespace fed::client {
namespace {

class ContextCall final : public Call {
 public:
  explicit ContextCall(std::shared_ptr<grpc::ClientContext> context)
      : context_(std::move(context)) {}
  ~ContextCall() override { Cancel(); }
  void Cancel() override { context_->TryCancel(); }

 private:
  const std::shared_ptr<grpc::ClientContext> context_;
};

}  // namespace

OpenCalls::~OpenCalls() {
  std::vector<std::shared_ptr<grpc::ClientContext>> open;
  {
    MutexLock lock(mu_);
    for (const auto& [address, context] : open_) open.push_back(context);
  }
  for (const auto& context : open) context->TryCancel();  // may call back: not under the lock
  open.clear();
  MutexLock lock(mu_);
  while (!open_.empty()) changed_.wait(mu_);
}

void OpenCalls::Add(std::shared_ptr<grpc::ClientContext> context) {
  MutexLock lock(mu_);
  const grpc::ClientContext* address = context.get();
  open_[address] = std::move(context);
}

void OpenCalls::Remove(const grpc::ClientContext* context) {
  std::shared_ptr<grpc::ClientContext> gone;  // dies outside the lock
  MutexLock lock(mu_);
  const auto found = open_.find(context);
  gone = std::move(found->second);
  open_.erase(found);
  changed_.notify_all();
}

std::unique_ptr<Call> NewCall(std::shared_ptr<grpc::ClientContext> context) {
  return std::make_unique<ContextCall>(std::move(context));
}

void SetTimeout(grpc::ClientContext& context, absl::Duration timeout) {
  context.set_deadline(
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                   gpr_time_from_millis(absl::ToInt64Milliseconds(timeout), GPR_TIMESPAN)));
}

}  // namespace fed::client
