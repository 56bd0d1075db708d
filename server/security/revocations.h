// The identities that are no longer welcome: read at every call, so in memory; the store is the
// truth.
#ifndef FED_SERVER_SECURITY_REVOCATIONS_H_
#define FED_SERVER_SECURITY_REVOCATIONS_H_

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "server/store/store.h"

namespace fed::server {

// Thread-safe.
class Revocations {
 public:
  // Reads the revoked clients; `store` outlives it.
  static StatusOr<std::unique_ptr<Revocations>> Load(Store& store);

  bool IsRevoked(const ClientId& id) const;

  // Commits, then tells the listeners (outside its lock). kNotFound: no such client.
  Status Revoke(const ClientId& id);

  // Called once for each identity revoked from now on. Listeners are added before serving begins.
  void OnRevoked(std::function<void(const ClientId&)> listener);

 private:
  Revocations(Store& store, absl::flat_hash_set<std::string> revoked)
      : store_(store), revoked_(std::move(revoked)) {}

  Store& store_;
  mutable Mutex mu_;
  absl::flat_hash_set<std::string> revoked_ FED_GUARDED_BY(mu_);
  std::vector<std::function<void(const ClientId&)>> listeners_;
};

}  // namespace fed::server

#endif  // FED_SERVER_SECURITY_REVOCATIONS_H_
