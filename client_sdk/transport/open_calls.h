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

// Thread-safe. Its destructor cancels what is open and waits until nothing of it is left: a context
// holds its channel, and a channel whose last owner dies on one of gRPC's own threads takes the
// process with it. So whoever owns a channel destroys its OpenCalls first.
class OpenCalls {
 public:
  // Counts as open for as long as it lives: the FIRST member of whatever holds a call's context.
  class Entry {
   public:
    explicit Entry(OpenCalls& calls) : calls_(calls) { calls_.Add(this); }
    ~Entry() { calls_.Remove(this); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

    // What is cancelled.
    void SetContext(std::weak_ptr<grpc::ClientContext> context) {
      calls_.Set(this, std::move(context));
    }

   private:
    OpenCalls& calls_;
  };

  OpenCalls() = default;
  ~OpenCalls();
  OpenCalls(const OpenCalls&) = delete;
  OpenCalls& operator=(const OpenCalls&) = delete;

  // One attempt of a unary call. `start` is the stub's callback method.
  template <typename Request, typename Reply, typename Value, typename Start>
  std::unique_ptr<Call> Unary(Request request, absl::Duration deadline, Start start,
                              std::function<StatusOr<Value>(const Reply&)> decode,
                              std::function<void(StatusOr<Value>)> done);

 private:
  void Add(const Entry* entry);
  void Set(const Entry* entry, std::weak_ptr<grpc::ClientContext> context);
  void Remove(const Entry* entry);

  Mutex mu_;
  CondVar changed_;
  std::map<const Entry*, std::weak_ptr<grpc::ClientContext>> open_ FED_GUARDED_BY(mu_);
};

// Cancels the call of this context when destroyed, if it has not ended.
std::unique_ptr<Call> NewCall(std::weak_ptr<grpc::ClientContext> context);

// From now, whatever the machine's clock says.
void SetTimeout(grpc::ClientContext& context, absl::Duration timeout);

template <typename Request, typename Reply, typename Value, typename Start>
std::unique_ptr<Call> OpenCalls::Unary(Request request, absl::Duration deadline, Start start,
                                       std::function<StatusOr<Value>(const Reply&)> decode,
                                       std::function<void(StatusOr<Value>)> done) {
  struct State {  // shared with gRPC until the call has ended
    explicit State(OpenCalls& calls) : entry(calls) {}
    Entry entry;
    grpc::ClientContext context;
    Request request;
    Reply reply;
  };
  auto state = std::make_shared<State>(*this);
  state->request = std::move(request);
  SetTimeout(state->context, deadline);
  const std::weak_ptr<grpc::ClientContext> context =
      std::shared_ptr<grpc::ClientContext>(state, &state->context);
  state->entry.SetContext(context);
  start(&state->context, &state->request, &state->reply,
        [state, decode = std::move(decode), done = std::move(done)](grpc::Status status) {
          if (status.ok()) {
            done(decode(state->reply));
          } else {
            done(wire::FromGrpc(status));
          }
        });
  state = nullptr;  // the call may be over
  return NewCall(context);
}

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_OPEN_CALLS_H_
