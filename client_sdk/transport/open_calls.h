// The calls of one transport that have not ended, and unary calls as they are all made.
#ifndef FED_CLIENT_SDK_TRANSPORT_OPEN_CALLS_H_
#define FED_CLIENT_SDK_TRANSPORT_OPEN_CALLS_H_

#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "absl/time/time.h"
#include "client_sdk/transport/transport.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/support/status.h"
#include "proto/wire/rpc_status.h"

namespace fed::client {

// Thread-safe. Its destructor cancels what is open and waits for the last callback.
class OpenCalls {
 public:
  OpenCalls() = default;
  ~OpenCalls();
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  // Contexts are shared: with gRPC until the call has ended, and with whoever may cancel it.
  void Add(std::shared_ptr<grpc::ClientContext> context);
  void Remove(const grpc::ClientContext* context);  // after its callback

  // One attempt of a unary call. `start` is the stub's callback method.
  template <typename Request, typename Reply, typename Value, typename Start>
  std::unique_ptr<Call> Unary(Request request, absl::Duration deadline, Start start,
                              std::function<StatusOr<Value>(const Reply&)> decode,
                              std::function<void(StatusOr<Value>)> done);

 private:
  Mutex mu_;
  CondVar changed_;
  std::map<const grpc::ClientContext*, std::shared_ptr<grpc::ClientContext>> open_
      FED_GUARDED_BY(mu_);
};

// Cancels the call of this context, which it shares, when destroyed.
std::unique_ptr<Call> NewCall(std::shared_ptr<grpc::ClientContext> context);

// From now, whatever the machine's clock says.
void SetTimeout(grpc::ClientContext& context, absl::Duration timeout);

template <typename Request, typename Reply, typename Value, typename Start>
std::unique_ptr<Call> OpenCalls::Unary(Request request, absl::Duration deadline, Start start,
                                       std::function<StatusOr<Value>(const Reply&)> decode,
                                       std::function<void(StatusOr<Value>)> done) {
  struct State {
    grpc::ClientContext context;
    Request request;
    Reply reply;
  };
  auto state = std::make_shared<State>();
  state->request = std::move(request);
  SetTimeout(state->context, deadline);
  std::shared_ptr<grpc::ClientContext> context(state, &state->context);
  Add(context);
  start(&state->context, &state->request, &state->reply,
        [this, state, decode = std::move(decode), done = std::move(done)](grpc::Status status) {
          if (status.ok()) {
            done(decode(state->reply));
          } else {
            done(wire::FromGrpc(status));
          }
          Remove(&state->context);
        });
  return NewCall(std::move(context));
}

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_OPEN_CALLS_H_
