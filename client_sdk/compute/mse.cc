// mse: the mean of (output - target)^2 over all values of all examples, as torch.nn.MSELoss.
#include <cmath>

#include "absl/strings/str_cat.h"
#include "client_sdk/compute/loss.h"

namespace fed::client {
namespace {

class Mse final : public Loss {
 public:
  explicit Mse(std::int64_t outputs) : outputs_(outputs) {}

  std::int64_t target_values() const override { return outputs_; }
  bool is_classification() const override { return false; }

  std::optional<BadTarget> Check(absl::Span<const float> targets) const override {
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (std::isfinite(targets[i])) continue;
      return BadTarget{static_cast<std::int64_t>(i) / outputs_,
                       absl::StrCat("has target ", targets[i], "; expected finite numbers")};
    }
    return std::nullopt;
  }

  double Compute(Backend& backend, Slice outputs, Slice targets, Slice gradient) const override {
    return backend.SquaredError(outputs, targets, gradient) / static_cast<double>(outputs.count);
  }

  Slice Predict(Backend&, Slice outputs, Slice) const override { return outputs; }

 private:
  const std::int64_t outputs_;
};

}  // namespace

std::unique_ptr<Loss> NewMse(std::int64_t outputs) { return std::make_unique<Mse>(outputs); }

}  // namespace fed::client
