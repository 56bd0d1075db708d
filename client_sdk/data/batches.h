// In which order a training sees its examples.
#ifndef FED_CLIENT_SDK_DATA_BATCHES_H_
#define FED_CLIENT_SDK_DATA_BATCHES_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"

namespace fed::client {

// Epoch after epoch, each example once an epoch, shuffled anew by a stream of the seed and the
// epoch. The last batch of an epoch is smaller if they do not divide. Not thread-safe.
class Batches final {
 public:
  // batch_size 0 or above `examples`: all of them. REQUIRES: examples >= 1, batch_size >= 0.
  Batches(std::uint64_t seed, std::int64_t examples, std::int64_t batch_size);

  std::int64_t batch_size() const { return batch_size_; }
  std::int64_t batches_per_epoch() const;

  // The next batch's examples; valid until the next call.
  absl::Span<const std::int64_t> Next();

 private:
  void Shuffle();

  const std::uint64_t seed_;
  const std::int64_t batch_size_;
  std::vector<std::int64_t> order_;
  std::int64_t next_;        // place in order_
  std::uint64_t epoch_ = 0;  // the one that Shuffle begins
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_DATA_BATCHES_H_
