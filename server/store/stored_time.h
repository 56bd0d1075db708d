// Time as the store keeps it: microseconds in an integer, with both infinities.
#ifndef FED_SERVER_STORE_STORED_TIME_H_
#define FED_SERVER_STORE_STORED_TIME_H_

#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace fed::server {

// Since 1970, rounded down; the infinities are the ends of the integer's range.
inline std::int64_t ToStored(absl::Time time) { return absl::ToUnixMicros(time); }

inline absl::Time TimeFromStored(std::int64_t micros) {
  if (micros == std::numeric_limits<std::int64_t>::max()) return absl::InfiniteFuture();
  if (micros == std::numeric_limits<std::int64_t>::min()) return absl::InfinitePast();
  return absl::FromUnixMicros(micros);
}

// Rounded towards zero: what remains never grows.
inline std::int64_t ToStored(absl::Duration duration) {
  return absl::ToInt64Microseconds(duration);
}

inline absl::Duration DurationFromStored(std::int64_t micros) {
  if (micros == std::numeric_limits<std::int64_t>::max()) return absl::InfiniteDuration();
  if (micros == std::numeric_limits<std::int64_t>::min()) return -absl::InfiniteDuration();
  return absl::Microseconds(micros);
}

}  // namespace fed::server

#endif  // FED_SERVER_STORE_STORED_TIME_H_
