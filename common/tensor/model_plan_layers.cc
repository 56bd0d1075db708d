// The table of layer types, and the walk through a plan that checks every part of it.
#include "common/tensor/model_plan_layers.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/limits.h"
#include "common/tensor/closest_name.h"

namespace fed {
namespace {

using Shape = std::vector<std::int64_t>;

Status Invalid(std::string message) {
  return Status(StatusCode::kInvalidArgument, std::move(message));
}

StatusOr<std::int64_t> RequiredSize(const LayerPlan& layer, const std::string& name) {
  const auto found = layer.attributes.find(name);
  if (found == layer.attributes.end()) {
    return Invalid(absl::StrCat("'", name, "' is missing: expected a whole number from 1 to ",
                                kMaxPlanDimension));
  }
  const std::int64_t* size = std::get_if<std::int64_t>(&found->second);
  if (size == nullptr || *size < 1 || *size > kMaxPlanDimension) {
    return Invalid(absl::StrCat("'", name, "' is ", ToString(found->second),
                                ": expected a whole number from 1 to ", kMaxPlanDimension));
  }
  return *size;
}

StatusOr<bool> OptionalBool(const LayerPlan& layer, const std::string& name, bool otherwise) {
  const auto found = layer.attributes.find(name);
  if (found == layer.attributes.end()) return otherwise;
  const bool* value = std::get_if<bool>(&found->second);
  if (value == nullptr) {
    return Invalid(
        absl::StrCat("'", name, "' is ", ToString(found->second), ": expected true or false"));
  }
  return *value;
}

// y = x W^T + b, as torch.nn.Linear has it: weight (out x in), bias (out).
StatusOr<LayerShape> ShapeLinear(const LayerPlan& layer, const Shape& input) {
  if (input.size() != 1) {
    return Invalid(absl::StrCat("takes a flat input, but what comes is ", ShapeText(input),
                                ": put a layer of type 'flatten' before it"));
  }
  if (layer.name.empty()) return Invalid("needs a 'name': its tensors are called by it");
  FED_ASSIGN_OR_RETURN(const std::int64_t out, RequiredSize(layer, "out"));
  FED_ASSIGN_OR_RETURN(const bool bias, OptionalBool(layer, "bias", true));
  const std::int64_t in = input[0];
  LayerShape shape;
  shape.output = {out};
  shape.tensors.push_back({{layer.name + ".weight", Dtype::kF32, {out, in}}, in, out, false});
  if (bias) shape.tensors.push_back({{layer.name + ".bias", Dtype::kF32, {out}}, in, out, true});
  return shape;
}

// Element by element: relu, tanh, sigmoid.
StatusOr<LayerShape> ShapeUnchanged(const LayerPlan&, const Shape& input) {
  LayerShape shape;
  shape.output = input;
  return shape;
}

StatusOr<LayerShape> ShapeFlatten(const LayerPlan&, const Shape& input) {
  LayerShape shape;
  shape.output = {ElementsOf(input)};
  return shape;
}

struct LayerType {
  absl::string_view type;
  absl::Span<const absl::string_view> attributes;
  StatusOr<LayerShape> (*shape)(const LayerPlan& layer, const Shape& input);
};

constexpr absl::string_view kLinearAttributes[] = {"out", "bias"};

// A new layer: its shape's function (in a file of its own if it is long), and a line here.
constexpr LayerType kLayerTypes[] = {
    {"linear", kLinearAttributes, ShapeLinear},  //
    {"relu", {}, ShapeUnchanged},                //
    {"tanh", {}, ShapeUnchanged},                //
    {"sigmoid", {}, ShapeUnchanged},             //
    {"flatten", {}, ShapeFlatten},               //
};

StatusOr<const LayerType*> FindLayerType(const LayerPlan& layer) {
  std::vector<absl::string_view> known;
  for (const LayerType& type : kLayerTypes) {
    if (type.type == layer.type) return &type;
    known.push_back(type.type);
  }
  return Invalid(absl::StrCat("unknown type ", UnknownName(layer.type, known)));
}

StatusOr<LayerShape> ShapeOf(const LayerPlan& layer, const Shape& input) {
  FED_ASSIGN_OR_RETURN(const LayerType* type, FindLayerType(layer));
  for (const auto& [name, value] : layer.attributes) {
    if (std::count(type->attributes.begin(), type->attributes.end(), name) > 0) continue;
    std::vector<absl::string_view> names = {"type", "name"};
    names.insert(names.end(), type->attributes.begin(), type->attributes.end());
    return Invalid(absl::StrCat("unknown key ", UnknownName(name, names)));
  }
  return type->shape(layer, input);
}

// "mlp.toml:9: layer 2 'fc1' (linear)" or, not from a file, without its beginning.
std::string WhereIs(const ModelPlan& plan, std::size_t i, absl::string_view source) {
  const LayerPlan& layer = plan.layers[i];
  std::string where;
  if (!source.empty() && layer.line > 0) where = absl::StrCat(source, ":", layer.line, ": ");
  absl::StrAppend(&where, "layer ", i + 1);
  if (!layer.name.empty()) absl::StrAppend(&where, " '", layer.name, "'");
  if (!layer.type.empty()) absl::StrAppend(&where, " (", layer.type, ")");
  return where;
}

Status CheckInput(const Shape& input) {
  std::int64_t values = 1;
  bool fits = !input.empty() && input.size() <= kMaxRank;
  for (const std::int64_t dimension : input) {
    fits = fits && dimension >= 1 && dimension <= kMaxPlanDimension &&
           values * dimension <= kMaxPlanDimension;
    if (fits) values *= dimension;
  }
  if (fits) return Status();
  return Invalid(absl::StrCat("'input' is ", ShapeText(input), ": expected 1 to ", kMaxRank,
                              " whole numbers from 1 on whose product is at most ",
                              kMaxPlanDimension));
}

Status CheckLoss(const ModelPlan& plan, const Shape& output) {
  const absl::string_view known[] = {"softmax_cross_entropy", "mse"};
  if (plan.loss == known[1]) return Status();
  if (plan.loss != known[0]) {
    return Invalid(absl::StrCat("unknown loss ", UnknownName(plan.loss, known)));
  }
  if (output.size() == 1 && output[0] >= 2) return Status();
  return Invalid(
      absl::StrCat("loss 'softmax_cross_entropy' takes a flat output of at least 2 "
                   "classes, but the last layer's is ",
                   ShapeText(output)));
}

Status CheckInitializer(const Initializer& initializer) {
  const absl::string_view known[] = {"glorot", "he", "normal", "zeros"};
  if (std::count(std::begin(known), std::end(known), initializer.name) == 0) {
    return Invalid(absl::StrCat("unknown initializer ", UnknownName(initializer.name, known)));
  }
  if (std::isfinite(initializer.sigma) && initializer.sigma > 0) return Status();
  return Invalid(absl::StrCat("'sigma' of the initializer is ", initializer.sigma,
                              ": expected a number above 0"));
}

// Adds a layer's tensors to what the plan has already.
Status CountTensors(const LayerShape& shape, std::set<std::string>& names, std::int64_t& values) {
  for (const PlannedTensor& tensor : shape.tensors) {
    if (tensor.info.name.size() > kMaxNameBytes) {
      return Invalid(absl::StrCat("its tensor's name has ", tensor.info.name.size(),
                                  " bytes; at most ", kMaxNameBytes));
    }
    if (!names.insert(tensor.info.name).second) {
      return Invalid(absl::StrCat("its tensor '", tensor.info.name,
                                  "' is there already: give each layer a name of its own"));
    }
    values += ElementsOf(tensor.info.shape);  // each at most 2^48: no overflow within the limits
    if (values > kMaxPlanValues) {
      return Invalid(
          absl::StrCat("with it the model has ", values, " values; at most ", kMaxPlanValues));
    }
  }
  return Status();
}

}  // namespace

StatusOr<std::vector<LayerShape>> ShapesOf(const ModelPlan& plan, absl::string_view source) {
  const std::string prefix = source.empty() ? "" : absl::StrCat(source, ": ");
  const auto of_plan = [&](const Status& status) {
    return status.ok() ? status : Invalid(absl::StrCat(prefix, status.message()));
  };
  FED_RETURN_IF_ERROR(of_plan(CheckInput(plan.input)));
  FED_RETURN_IF_ERROR(of_plan(CheckInitializer(plan.initializer)));
  if (plan.layers.empty() || plan.layers.size() > kMaxPlanLayers) {
    return of_plan(Invalid(absl::StrCat("a plan has 1 to ", kMaxPlanLayers, " layers; this one ",
                                        plan.layers.size())));
  }

  std::vector<LayerShape> shapes;
  std::set<std::string> names;
  std::int64_t values = 0;
  Shape input = plan.input;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    StatusOr<LayerShape> shape = ShapeOf(plan.layers[i], input);
    const Status status = shape.ok() ? CountTensors(*shape, names, values) : shape.status();
    if (!status.ok()) {
      return Invalid(absl::StrCat(WhereIs(plan, i, source), ": ", status.message()));
    }
    input = shape->output;
    shapes.push_back(std::move(shape).value());
  }
  if (names.empty()) return of_plan(Invalid("no layer has tensors: there is nothing to train"));
  FED_RETURN_IF_ERROR(of_plan(CheckLoss(plan, input)));
  return shapes;
}

std::string ShapeText(absl::Span<const std::int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

std::int64_t ElementsOf(absl::Span<const std::int64_t> shape) {
  std::int64_t elements = 1;
  for (const std::int64_t dimension : shape) elements *= dimension;
  return elements;
}

}  // namespace fed
