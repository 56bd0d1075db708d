// How often strangers may knock: one bucket of tokens an address, and one for all.
#ifndef FED_SERVER_RPC_RATE_LIMIT_H_
#define FED_SERVER_RPC_RATE_LIMIT_H_

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "fed/status.h"

namespace fed::server {

struct RateLimitOptions {
  double per_second = 200;  // calls, from everybody together
  double burst = 2'000;
  double address_share = 0.5;      // of both, for one address (many devices may share one)
  std::size_t addresses = 10'000;  // remembered; the quietest are forgotten first
};

// Thread-safe.
class RateLimit {
 public:
  explicit RateLimit(const RateLimitOptions& options) : options_(options) {}

  // kResourceExhausted, saying when to come back. `peer` is gRPC's: "ipv4:10.0.0.1:5000".
  Status Admit(absl::string_view peer, absl::Time now);

 private:
  struct Bucket {
    double tokens = 0;
    absl::Time filled;
  };

  // Takes one token; false if there is none.
  static bool Take(Bucket& bucket, double per_second, double burst, absl::Time now);
  Bucket& BucketOf(absl::string_view address, absl::Time now) FED_REQUIRES(mu_);

  const RateLimitOptions options_;
  Mutex mu_;
  Bucket all_ FED_GUARDED_BY(mu_) = {0, absl::InfinitePast()};
  absl::flat_hash_map<std::string, Bucket> by_address_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_RATE_LIMIT_H_
