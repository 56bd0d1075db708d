// A layer's arithmetic. Its shapes are in common/tensor/model_plan_layers.
#ifndef FED_CLIENT_SDK_COMPUTE_LAYER_H_
#define FED_CLIENT_SDK_COMPUTE_LAYER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "client_sdk/compute/backend.h"
#include "common/tensor/model_plan_layers.h"
#include "fed/model_plan.h"
#include "fed/status.h"

namespace fed::client {

// Where a layer reads and writes in one pass over `rows` examples. The network owns all of it.
struct LayerPass {
  std::int64_t rows = 0;
  Slice input;                        // rows x input elements
  Slice output;                       // rows x output elements
  Slice output_gradient;              // backward: of the loss, by each output
  Slice input_gradient;               // backward: to be written; empty: not wanted
  absl::Span<const Slice> tensors;    // in the order of LayerShape::tensors
  absl::Span<const Slice> gradients;  // backward: to be overwritten, one for each tensor
};

// Keeps nothing of a pass: what Backward needs it finds in input and output, which still hold what
// Forward left there.
class Layer {
 public:
  virtual ~Layer() = default;

  virtual void Forward(Backend& backend, const LayerPass& pass) const = 0;
  virtual void Backward(Backend& backend, const LayerPass& pass) const = 0;

  // True if the output is the input's values under another shape: they share their memory then,
  // and neither call is made.
  virtual bool only_reshapes() const { return false; }
};

// What makes a layer knows: what the plan says of it, and its shapes, which have been checked.
struct LayerSource {
  const LayerPlan& plan;
  const std::vector<std::int64_t>& input;
  const LayerShape& shape;
};

// By plan.type. kUnimplemented: the type is a plan's, but has no arithmetic here.
StatusOr<std::unique_ptr<Layer>> NewLayer(const LayerSource& source);

// One file each; a new one is a line here and a line in layer_table.cc.
std::unique_ptr<Layer> NewFlatten(const LayerSource& source);
std::unique_ptr<Layer> NewLinear(const LayerSource& source);
std::unique_ptr<Layer> NewRelu(const LayerSource& source);
std::unique_ptr<Layer> NewSigmoid(const LayerSource& source);
std::unique_ptr<Layer> NewTanh(const LayerSource& source);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_LAYER_H_
