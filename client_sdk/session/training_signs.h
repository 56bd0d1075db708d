// What a training thread and its session tell each other while it trains.
#ifndef FED_CLIENT_SDK_SESSION_TRAINING_SIGNS_H_
#define FED_CLIENT_SDK_SESSION_TRAINING_SIGNS_H_

#include <atomic>
#include <cstdint>
#include <limits>

#include "absl/time/time.h"

namespace fed::client {

// Thread-safe. Shared: a training may still be between two batches when its session forgets it.
struct TrainingSigns {
  std::atomic<bool> stop{false};
  std::atomic<std::int64_t> step{0}, steps{0};
  std::atomic<double> loss{0};

  // When the assignment ends.
  void SetDeadline(absl::Time time) { deadline_ns_ = absl::ToUnixNanos(time); }
  absl::Time deadline() const { return absl::FromUnixNanos(deadline_ns_); }

 private:
  std::atomic<std::int64_t> deadline_ns_{std::numeric_limits<std::int64_t>::max()};
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_TRAINING_SIGNS_H_
