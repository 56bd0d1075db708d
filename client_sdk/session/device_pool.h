// Any number of sessions over one transport factory: one thread that decides, k that work.
#ifndef FED_CLIENT_SDK_SESSION_DEVICE_POOL_H_
#define FED_CLIENT_SDK_SESSION_DEVICE_POOL_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "client_sdk/transport/transport.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "common/base/thread_pool.h"
#include "fed/client_options.h"
#include "fed/status.h"

namespace fed::client {

// Thread-safe. A device is added, started once, and gone when it has ended.
class DevicePool {
 public:
  struct Parts {
    std::unique_ptr<TransportFactory> factory;
    int threads = 1;  // that work
    const Clock& clock = Clock::Real();
    FileSystem& files = FileSystem::Real();
  };
  explicit DevicePool(Parts parts);
  ~DevicePool();  // Stop, and waits

  // kInvalidArgument: an option is missing or does not fit the others. kFailedPrecondition: the
  // state_dir is in use.
  StatusOr<int> Add(ClientOptions options);

  // Once for each device that was added. `ended` is called once, on a thread of the pool, when the
  // state_dir is free again.
  void Start(int device, std::function<void(Status)> ended);

  // The started one of this state_dir; nothing if there is none.
  void StopOne(const std::string& state_dir);

  // Also devices not started yet: theirs is over as soon as it begins.
  void Stop();
  void Wait();  // until each device that was started has ended

 private:
  struct Device;

  void OnEnded(int device, const Status& status, std::function<void(Status)> ended);
  void Forget(int device);

  const Clock& clock_;
  FileSystem& files_;
  std::unique_ptr<TransportFactory> factory_;
  Mutex mu_;
  CondVar changed_;
  std::map<int, std::unique_ptr<Device>> devices_ FED_GUARDED_BY(mu_);
  int next_ FED_GUARDED_BY(mu_) = 0;
  int running_ FED_GUARDED_BY(mu_) = 0;
  bool stopped_ FED_GUARDED_BY(mu_) = false;
  // Last: their tasks use all of the above.
  ThreadPool work_;
  ThreadPool events_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_DEVICE_POOL_H_
