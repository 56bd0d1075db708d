// Calls that last: held polls and streams, so that a revoked identity's are ended at once.
#ifndef FED_SERVER_RPC_LIVE_CALLS_H_
#define FED_SERVER_RPC_LIVE_CALLS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <utility>

#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "fed/status.h"

namespace fed::server {

// Thread-safe.
class LiveCalls {
 public:
  using End = std::function<void(const Status&)>;

  // Keeps a call registered until it is destroyed. Its End is called on the thread that ends the
  // identity, outside our lock, so it may still run when the destructor has returned: it refers to
  // shared state only.
  class Registration {
   public:
    Registration(LiveCalls& calls, std::pair<ClientId, std::uint64_t> key)
        : calls_(calls), key_(std::move(key)) {}
    ~Registration() { calls_.Remove(key_); }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;

   private:
    LiveCalls& calls_;
    std::pair<ClientId, std::uint64_t> key_;
  };

  // `end` must not block.
  std::unique_ptr<Registration> Add(const ClientId& client, End end);

  // Ends every call of this identity with `why`; calls that are added later are not ended.
  void EndAll(const ClientId& client, const Status& why);

 private:
  void Remove(const std::pair<ClientId, std::uint64_t>& key);

  Mutex mu_;
  std::uint64_t next_ FED_GUARDED_BY(mu_) = 0;
  std::map<std::pair<ClientId, std::uint64_t>, End> calls_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_LIVE_CALLS_H_
