// The way to a stream's reactor from other threads, for as long as there is one.
#ifndef FED_SERVER_RPC_STREAM_LINE_H_
#define FED_SERVER_RPC_STREAM_LINE_H_

#include <utility>

#include "common/base/mutex.h"
#include "fed/status.h"
#include "proto/wire/rpc_status.h"

namespace fed::server {

// gRPC destroys a reactor only after its Finish, and Finish goes through here: what is shared by
// the executor's tasks is a stream's state and its line, never the reactor. `Reactor` is one of
// gRPC's server reactors. Thread-safe.
template <typename Reactor>
class StreamLine {
 public:
  explicit StreamLine(Reactor* reactor) : reactor_(reactor) {}

  // Ends the stream; the first call wins and returns true.
  bool Finish(const Status& status) {
    MutexLock lock(mu_);
    Reactor* const reactor = std::exchange(reactor_, nullptr);
    if (reactor != nullptr) reactor->Finish(wire::ToGrpc(status));
    return reactor != nullptr;
  }

  // Runs `use(reactor)` unless the stream has ended. `use` only starts reads or writes.
  template <typename Use>
  void With(Use use) {
    MutexLock lock(mu_);
    if (reactor_ != nullptr) use(*reactor_);
  }

 private:
  Mutex mu_;
  Reactor* reactor_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_STREAM_LINE_H_
