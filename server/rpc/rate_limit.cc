// Token buckets.
#include "server/rpc/rate_limit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fed::server {
namespace {

// Without the port: it is another one for each connection.
absl::string_view AddressOf(absl::string_view peer) { return peer.substr(0, peer.rfind(':')); }

}  // namespace

bool RateLimit::Take(Bucket& bucket, double per_second, double burst, absl::Time now) {
  const double gained = per_second * absl::ToDoubleSeconds(now - bucket.filled);
  bucket.tokens = std::min(burst, bucket.tokens + gained);
  bucket.filled = now;
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

RateLimit::Bucket& RateLimit::BucketOf(absl::string_view address, absl::Time now) {
  const auto found = by_address_.find(address);
  if (found != by_address_.end()) return found->second;
  if (by_address_.size() >= options_.addresses) {
    by_address_.erase(std::min_element(
        by_address_.begin(), by_address_.end(),
        [](const auto& a, const auto& b) { return a.second.filled < b.second.filled; }));
  }
  return by_address_[std::string(address)] = {options_.burst * options_.address_share, now};
}

Status RateLimit::Admit(absl::string_view peer, absl::Time now) {
  MutexLock lock(mu_);
  Bucket& own = BucketOf(AddressOf(peer), now);
  if (Take(own, options_.per_second * options_.address_share,
           options_.burst * options_.address_share, now) &&
      Take(all_, options_.per_second, options_.burst, now)) {
    return Status();
  }
  return Status(StatusCode::kResourceExhausted,
                absl::StrCat("too many enrollments at once (", options_.per_second,
                             " a second are taken); try again in a few seconds"));
}

}  // namespace fed::server
