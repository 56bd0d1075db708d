// softmax_cross_entropy: the mean of -log softmax(outputs)[label], as torch.nn.CrossEntropyLoss.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client_sdk/compute/loss.h"

namespace fed::client {
namespace {

class SoftmaxCrossEntropy final : public Loss {
 public:
  explicit SoftmaxCrossEntropy(std::int64_t classes) : classes_(classes) {}

  std::int64_t target_values() const override { return 1; }
  bool is_classification() const override { return true; }

  std::optional<BadTarget> Check(absl::Span<const float> targets) const override {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      const float label = targets[i];
      if (label >= 0 && label < static_cast<float>(classes_) && label == std::floor(label))
        continue;
      return BadTarget{static_cast<std::int64_t>(i),
                       absl::StrCat("has label ", label, "; the model has ", classes_,
                                    " classes, 0 to ", classes_ - 1)};
    }
    return std::nullopt;
  }

  double Compute(Backend& backend, Slice outputs, Slice targets, Slice gradient) const override {
    return backend.SoftmaxCrossEntropy(outputs, targets, gradient) /
           static_cast<double>(targets.count);
  }

  Slice Predict(Backend& backend, Slice outputs, Slice room) const override {
    backend.Softmax(outputs, classes_, room);
    return room;
  }

 private:
  const std::int64_t classes_;
};

}  // namespace

std::unique_ptr<Loss> NewSoftmaxCrossEntropy(std::int64_t outputs) {
  return std::make_unique<SoftmaxCrossEntropy>(outputs);
}

}  // namespace fed::client
