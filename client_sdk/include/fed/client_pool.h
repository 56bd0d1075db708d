// Any number of devices in one process, on k threads: simulations, gateways.
#ifndef FED_CLIENT_POOL_H_
#define FED_CLIENT_POOL_H_

#include <functional>
#include <memory>
#include <string>

#include "fed/client_options.h"
#include "fed/status.h"

namespace fed {

// Thread-safe. Each client waits without a thread; training and encoding take turns on the pool's.
class ClientPool {
 public:
  // REQUIRES: threads >= 1.
  static StatusOr<std::unique_ptr<ClientPool>> New(int threads);

  virtual ~ClientPool() = default;  // as Stop, and waits

  // Starts a client. `ended` is called once, on a thread of the pool, with what Client::Run would
  // return; the state_dir is then free to be added again. Errors as Client::New.
  virtual Status Add(ClientOptions options, std::function<void(Status)> ended) = 0;

  // The client of this state_dir, as Client::Stop; nothing if there is none. Does not wait.
  virtual void StopOne(const std::string& state_dir) = 0;

  virtual void Stop() = 0;  // all of them
  virtual void Wait() = 0;  // until each has ended
};

}  // namespace fed

#endif  // FED_CLIENT_POOL_H_
