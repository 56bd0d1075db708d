// Each epoch starts from the sorted order, so that it depends on the seed and its number alone.
#include "client_sdk/data/batches.h"

#include <algorithm>
#include <numeric>

#include "common/base/check.h"
#include "common/base/random.h"

namespace fed::client {

Batches::Batches(std::uint64_t seed, std::int64_t examples, std::int64_t batch_size)
    : seed_(seed),
      batch_size_(batch_size == 0 ? examples : std::min(batch_size, examples)),
      order_(static_cast<std::size_t>(examples)),
      next_(examples) {
  FED_DCHECK(examples >= 1 && batch_size >= 0);
}

std::int64_t Batches::batches_per_epoch() const {
  return (static_cast<std::int64_t>(order_.size()) + batch_size_ - 1) / batch_size_;
}

absl::Span<const std::int64_t> Batches::Next() {
  const auto examples = static_cast<std::int64_t>(order_.size());
  if (next_ == examples) Shuffle();
  const std::int64_t count = std::min(batch_size_, examples - next_);
  const auto batch = absl::MakeConstSpan(order_).subspan(static_cast<std::size_t>(next_),
                                                         static_cast<std::size_t>(count));
  next_ += count;
  return batch;
}

void Batches::Shuffle() {
  std::iota(order_.begin(), order_.end(), std::int64_t{0});
  RandomStream(seed_, RandomPurpose::kBatches, epoch_).Shuffle(order_);
  ++epoch_;
  next_ = 0;
}

}  // namespace fed::client
