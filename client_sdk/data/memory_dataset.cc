// Examples in buffers that the application owns.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fed/dataset.h"

namespace fed {
namespace client {
namespace {

class MemoryDataset final : public Dataset {
 public:
  MemoryDataset(std::span<const float> features, std::vector<std::int64_t> shape,
                std::span<const float> targets, std::size_t each, std::size_t targets_each)
      : features_(features),
        shape_(std::move(shape)),
        targets_(targets),
        each_(each),
        targets_each_(targets_each) {}

  std::int64_t size() const override {
    return static_cast<std::int64_t>(targets_.size() / targets_each_);
  }
  std::vector<std::int64_t> example_shape() const override { return shape_; }
  std::int64_t target_values() const override { return static_cast<std::int64_t>(targets_each_); }

  void Gather(std::span<const std::int64_t> indices, std::span<float> features,
              std::span<float> targets) const override {
    for (std::size_t k = 0; k < indices.size(); ++k) {
      const auto i = static_cast<std::size_t>(indices[k]);
      std::copy_n(&features_[i * each_], each_, &features[k * each_]);
      std::copy_n(&targets_[i * targets_each_], targets_each_, &targets[k * targets_each_]);
    }
  }

 private:
  const std::span<const float> features_;
  const std::vector<std::int64_t> shape_;
  const std::span<const float> targets_;
  const std::size_t each_, targets_each_;
};

Status Invalid(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

}  // namespace
}  // namespace client

StatusOr<std::unique_ptr<Dataset>> NewMemoryDataset(std::span<const float> features,
                                                    std::vector<std::int64_t> example_shape,
                                                    std::span<const float> targets,
                                                    std::int64_t target_values) {
  std::size_t each = 1;
  for (const std::int64_t dimension : example_shape) {
    if (dimension < 1 || __builtin_mul_overflow(each, static_cast<std::size_t>(dimension), &each)) {
      return client::Invalid(absl::StrCat("example shape [", absl::StrJoin(example_shape, ", "),
                                          "]: expected dimensions from 1 on"));
    }
  }
  if (target_values < 1) {
    return client::Invalid(absl::StrCat(target_values, " target values: expected 1 or more"));
  }
  const auto targets_each = static_cast<std::size_t>(target_values);
  const std::size_t examples = targets.size() / targets_each;
  if (targets.size() % targets_each != 0 || features.size() % each != 0 ||
      features.size() / each != examples) {
    return client::Invalid(absl::StrCat(features.size(), " feature values of ", each,
                                        " an example and ", targets.size(), " target values of ",
                                        target_values, " an example do not fit"));
  }
  return std::unique_ptr<Dataset>(std::make_unique<client::MemoryDataset>(
      features, std::move(example_shape), targets, each, targets_each));
}

}  // namespace fed
