// What training makes smaller: from a network's outputs and the targets to one number.
#ifndef FED_CLIENT_SDK_COMPUTE_LOSS_H_
#define FED_CLIENT_SDK_COMPUTE_LOSS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/types/span.h"
#include "client_sdk/compute/backend.h"
#include "fed/status.h"

namespace fed::client {

// Over rows of `outputs` values; stateless.
class Loss {
 public:
  virtual ~Loss() = default;

  virtual std::int64_t target_values() const = 0;  // of one example
  virtual bool is_classification() const = 0;      // targets are class numbers

  // The place of the first example (of target_values() each) whose target can not be, if any; and
  // what is wrong with it: "has label 12; the model has 10 classes, 0 to 9".
  struct BadTarget {
    std::int64_t row = 0;
    std::string what;
  };
  virtual std::optional<BadTarget> Check(absl::Span<const float> targets) const = 0;

  // The MEAN loss of the rows; if wanted, its gradient by each output.
  virtual double Compute(Backend& backend, Slice outputs, Slice targets, Slice gradient) const = 0;

  // Where the predictions are (fed/predictor.h): in `room`, as large as outputs, or in outputs.
  virtual Slice Predict(Backend& backend, Slice outputs, Slice room) const = 0;
};

// By the plan's name, for a network with this many outputs. kUnimplemented: not computed here.
StatusOr<std::unique_ptr<Loss>> NewLoss(const std::string& name, std::int64_t outputs);

// One file each; a new one is a line here and a line in loss_table.cc.
std::unique_ptr<Loss> NewMse(std::int64_t outputs);
std::unique_ptr<Loss> NewSoftmaxCrossEntropy(std::int64_t outputs);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_LOSS_H_
