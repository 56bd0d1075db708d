// A unary call that is answered later, by whichever thread comes first.
#ifndef FED_SERVER_RPC_UNARY_CALL_H_
#define FED_SERVER_RPC_UNARY_CALL_H_

#include <functional>
#include <memory>
#include <utility>

#include "common/base/mutex.h"
#include "fed/status.h"
#include "grpcpp/support/server_callback.h"
#include "proto/wire/rpc_status.h"

namespace fed::server {

// The reactor deletes itself when gRPC is done with it; an Answer may outlive it and then does
// nothing. Threads: any.
class UnaryCall final : public grpc::ServerUnaryReactor {
  struct Line {
    Mutex mu;
    UnaryCall* call FED_GUARDED_BY(mu);  // null once answered
  };

 public:
  // Answers the call once: the first of several wins. Copies answer the same call.
  class Answer {
   public:
    explicit Answer(std::shared_ptr<Line> line) : line_(std::move(line)) {}

    // `fill` writes the reply message; it runs only if the call still waits.
    void operator()(const Status& status, const std::function<void()>& fill = nullptr) const {
      MutexLock lock(line_->mu);
      UnaryCall* const call = std::exchange(line_->call, nullptr);
      if (call == nullptr) return;
      if (status.ok() && fill != nullptr) fill();
      call->Finish(wire::ToGrpc(status));
    }

   private:
    std::shared_ptr<Line> line_;
  };

  // Made by `new`, as gRPC's callback API has it: the reactor owns itself until OnDone.
  static UnaryCall* New() { return new UnaryCall; }  // NOLINT

  Answer answer() const { return Answer(line_); }

  // Something that must live as long as the call waits (a held poll); dropped when the caller goes
  // away and when the call is done.
  void Hold(std::shared_ptr<void> what) {
    MutexLock lock(hold_mu_);
    if (!over_) hold_ = std::move(what);
  }

 private:
  UnaryCall() : line_(std::make_shared<Line>()) {
    MutexLock lock(line_->mu);
    line_->call = this;
  }

  void OnCancel() override {
    Release();
    answer()(Status(StatusCode::kCancelled, "the caller went away"));
  }
  void OnDone() override {
    Release();
    delete this;  // NOLINT: see New
  }
  void Release() {
    std::shared_ptr<void> held;
    MutexLock lock(hold_mu_);
    over_ = true;
    held.swap(hold_);
  }

  const std::shared_ptr<Line> line_;
  Mutex hold_mu_;
  std::shared_ptr<void> hold_ FED_GUARDED_BY(hold_mu_);
  bool over_ FED_GUARDED_BY(hold_mu_) = false;
};

// A call that is answered at once.
inline UnaryCall* Refuse(const Status& status) {
  UnaryCall* const call = UnaryCall::New();
  call->answer()(status);
  return call;
}

}  // namespace fed::server

#endif  // FED_SERVER_RPC_UNARY_CALL_H_
