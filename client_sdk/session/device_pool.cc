// Owns sessions, and takes them apart when they have ended.
#include "client_sdk/session/device_pool.h"

#include <utility>

#include "client_sdk/session/device_session.h"
#include "client_sdk/session/option_check.h"
#include "common/base/bytes.h"
#include "common/base/log.h"
#include "common/base/state_lock.h"
#include "common/crypto/digest.h"

namespace fed::client {
namespace {

LogSeverity SeverityOf(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return LogSeverity::kDebug;
    case LogLevel::kInfo:
      return LogSeverity::kInfo;
    case LogLevel::kWarn:
      return LogSeverity::kWarning;
    case LogLevel::kError:
      break;
  }
  return LogSeverity::kError;
}

Log::Sink SinkOf(const ClientOptions& options) {
  return [on_log = options.on_log](LogLevel level, absl::string_view line) {
    if (on_log) on_log(SeverityOf(level), {line.data(), line.size()});
  };
}

std::uint64_t JitterSeed() {
  const std::vector<std::uint8_t> bytes = SystemRandom(8);
  return ByteReader(bytes).U64();
}

}  // namespace

struct DevicePool::Device {
  Device(ClientOptions options_in, std::unique_ptr<StateLock> lock_in)
      : options(std::move(options_in)),
        lock(std::move(lock_in)),
        log(SinkOf(options), LogLevel::kDebug) {}

  const ClientOptions options;
  const std::unique_ptr<StateLock> lock;
  const Log log;
  std::shared_ptr<DeviceSession> session;  // shared with the callbacks of its calls
};

DevicePool::DevicePool(Parts parts)
    : clock_(parts.clock),
      files_(parts.files),
      factory_(std::move(parts.factory)),
      work_("fed-work", parts.threads, parts.clock),
      events_("fed-events", 1, parts.clock) {}

DevicePool::~DevicePool() {
  Stop();
  Wait();
  factory_ = nullptr;  // ends its calls, whose callbacks use the executors
}

StatusOr<int> DevicePool::Add(ClientOptions options) {
  FED_RETURN_IF_ERROR(CheckOptions(options));
  FED_ASSIGN_OR_RETURN(auto lock, StateLock::Take(options.state_dir));
  auto device = std::make_unique<Device>(std::move(options), std::move(lock));
  MutexLock guard(mu_);
  devices_[next_] = std::move(device);
  return next_++;
}

void DevicePool::Start(int device, std::function<void(Status)> ended) {
  MutexLock lock(mu_);
  Device& it = *devices_.at(device);
  ++running_;
  const SessionContext::Parts parts{it.options, files_, clock_,      events_,
                                    work_,      it.log, JitterSeed()};
  it.session = std::make_shared<DeviceSession>(
      parts, *factory_, [this, device, ended = std::move(ended)](const Status& status) {
        OnEnded(device, status, ended);
      });
  events_.Post([session = it.session, stopped = stopped_] {
    if (stopped) return session->Stop();
    session->Start();
  });
}

// Taken apart in a task of its own: the caller stands within the session. `ended` comes last, so
// that the state_dir is free for whoever it tells.
void DevicePool::OnEnded(int device, const Status& status, std::function<void(Status)> ended) {
  events_.Post([this, device, status, ended = std::move(ended)] {
    Forget(device);
    ended(status);
    MutexLock lock(mu_);
    --running_;
    changed_.notify_all();
  });
}

void DevicePool::Forget(int device) {
  std::unique_ptr<Device> gone;
  MutexLock lock(mu_);
  const auto found = devices_.find(device);
  gone = std::move(found->second);
  devices_.erase(found);
}

void DevicePool::StopOne(const std::string& state_dir) {
  MutexLock lock(mu_);
  for (const auto& [id, device] : devices_) {
    if (device->session == nullptr || device->options.state_dir != state_dir) continue;
    events_.Post([session = device->session] { session->Stop(); });
  }
}

void DevicePool::Stop() {
  MutexLock lock(mu_);
  stopped_ = true;
  for (const auto& [id, device] : devices_) {
    if (device->session == nullptr) continue;
    events_.Post([session = device->session] { session->Stop(); });
  }
}

void DevicePool::Wait() {
  MutexLock lock(mu_);
  // Not by the pool's clock: what ends a session is work, not time.
  while (running_ > 0) changed_.wait(mu_);
}

}  // namespace fed::client
