// The tensors of a plan, and the first version's values.
#include <cmath>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/random.h"
#include "common/tensor/model_plan_layers.h"
#include "fed/model_plan.h"

namespace fed {
namespace {

// Additions, products and square roots of doubles are exact to the last bit on every machine, and
// RandomStream::Normal is made of them; the one rounding to float is too.
void Fill(const PlannedTensor& tensor, const Initializer& initializer, RandomStream random,
          std::span<float> values) {
  const double fan_in = static_cast<double>(tensor.fan_in);
  const double fan_out = static_cast<double>(tensor.fan_out);
  if (initializer.name == "normal") {
    for (float& v : values) v = static_cast<float>(initializer.sigma * random.Normal());
  } else if (initializer.name == "zeros" || tensor.is_bias) {
    for (float& v : values) v = 0;
  } else if (initializer.name == "glorot") {
    const double limit = std::sqrt(6.0 / (fan_in + fan_out));
    for (float& v : values) v = static_cast<float>((2.0 * random.Uniform() - 1.0) * limit);
  } else {  // "he": ShapesOf lets no other pass
    const double sigma = std::sqrt(2.0 / fan_in);
    for (float& v : values) v = static_cast<float>(sigma * random.Normal());
  }
}

}  // namespace

StatusOr<std::vector<TensorInfo>> TensorsOf(const ModelPlan& plan) {
  FED_ASSIGN_OR_RETURN(const std::vector<LayerShape> shapes, ShapesOf(plan));
  std::vector<TensorInfo> tensors;
  for (const LayerShape& shape : shapes) {
    for (const PlannedTensor& tensor : shape.tensors) tensors.push_back(tensor.info);
  }
  return tensors;
}

StatusOr<Parameters> Initialize(const ModelPlan& plan, std::uint64_t seed) {
  FED_ASSIGN_OR_RETURN(const std::vector<LayerShape> shapes, ShapesOf(plan));
  try {
    Parameters model;
    for (const LayerShape& shape : shapes) {
      for (const PlannedTensor& tensor : shape.tensors) {
        const std::size_t index = model.size();
        FED_RETURN_IF_ERROR(model.Add(tensor.info));
        Fill(tensor, plan.initializer, RandomStream(seed, RandomPurpose::kInitializer, index),
             model.values(index));
      }
    }
    return model;
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat("no memory for the tensors of the plan '", plan.name, "'"));
  }
}

}  // namespace fed
