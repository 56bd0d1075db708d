// The register of calls that last.
#include "server/rpc/live_calls.h"

#include <vector>

namespace fed::server {

std::unique_ptr<LiveCalls::Registration> LiveCalls::Add(const ClientId& client, End end) {
  MutexLock lock(mu_);
  const std::pair<ClientId, std::uint64_t> key(client, next_++);
  calls_.emplace(key, std::move(end));
  return std::make_unique<Registration>(*this, key);
}

void LiveCalls::EndAll(const ClientId& client, const Status& why) {
  // Copied, and called without the lock: ending a call may destroy its registration.
  std::vector<End> ends;
  {
    MutexLock lock(mu_);
    for (auto call = calls_.lower_bound({client, 0});
         call != calls_.end() && call->first.first == client; ++call) {
      ends.push_back(call->second);
    }
  }
  for (const End& end : ends) end(why);
}

void LiveCalls::Remove(const std::pair<ClientId, std::uint64_t>& key) {
  MutexLock lock(mu_);
  calls_.erase(key);
}

}  // namespace fed::server
