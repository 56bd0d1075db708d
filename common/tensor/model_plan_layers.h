// What each type of layer does to shapes: its attributes, its output, its tensors. The arithmetic
// is in client_sdk/compute; the server needs only this.
#ifndef FED_COMMON_TENSOR_MODEL_PLAN_LAYERS_H_
#define FED_COMMON_TENSOR_MODEL_PLAN_LAYERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

inline constexpr std::int64_t kMaxPlanLayers = 1'000;
inline constexpr std::int64_t kMaxPlanDimension = 1 << 24;  // of a shape, of an attribute
inline constexpr std::int64_t kMaxPlanValues = std::int64_t{1} << 32;  // of all tensors: 16 GiB

// One tensor of a layer, with what initializers need to know of it.
struct PlannedTensor {
  TensorInfo info;
  std::int64_t fan_in = 0;   // values that enter one output
  std::int64_t fan_out = 0;  // outputs that one input enters
  bool is_bias = false;
};

// What a layer makes of its input's shape.
struct LayerShape {
  std::vector<std::int64_t> output;  // of one example
  std::vector<PlannedTensor> tensors;
};

// Every layer's shape, in order. Checks all of the plan: layers, their attributes, the loss, the
// initializer. kInvalidArgument begins with "source:line: " if both are known, else with the
// layer's place.
StatusOr<std::vector<LayerShape>> ShapesOf(const ModelPlan& plan, absl::string_view source = "");

// "[28, 28]", for messages.
std::string ShapeText(absl::Span<const std::int64_t> shape);

// The product; 1 for an empty shape. REQUIRES: checked by ShapesOf.
std::int64_t ElementsOf(absl::Span<const std::int64_t> shape);

}  // namespace fed

#endif  // FED_COMMON_TENSOR_MODEL_PLAN_LAYERS_H_
