// Model plans and hyper-parameters to messages and back.
#include <cmath>

#include "proto/wire/convert.h"
#include "proto/wire/fields.h"

namespace fed::wire {
namespace {

constexpr int kMaxValueTextBytes = 4'096;
constexpr int kMaxAttributes = 64;
constexpr int kMaxLayers = 1'024;
constexpr std::int64_t kMaxDimension = std::int64_t{1} << 40;

StatusOr<LayerPlan> DecodeLayer(const v1::LayerPlan& message) {
  LayerPlan layer;
  FED_RETURN_IF_ERROR(CheckText("layer.type", message.type(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(CheckText("layer.name", message.name(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(
      CheckRange("number of layer.attributes", message.attributes_size(), 0, kMaxAttributes));
  layer.type = message.type();
  layer.name = message.name();
  for (const auto& [name, value] : message.attributes()) {
    FED_RETURN_IF_ERROR(CheckText("layer.attributes", name, kMaxNameBytes));
    FED_ASSIGN_OR_RETURN(layer.attributes[name], Decode(value));
  }
  return layer;
}

}  // namespace

StatusOr<Value> Decode(const v1::Value& message) {
  switch (message.kind_case()) {
    case v1::Value::kBoolValue:
      return Value(message.bool_value());
    case v1::Value::kIntValue:
      return Value(std::int64_t{message.int_value()});
    case v1::Value::kDoubleValue:
      if (!std::isfinite(message.double_value())) return Invalid("value", "not finite");
      return Value(message.double_value());
    case v1::Value::kStringValue:
      FED_RETURN_IF_ERROR(CheckText("value", message.string_value(), kMaxValueTextBytes));
      return Value(message.string_value());
    case v1::Value::KIND_NOT_SET:
      break;
  }
  return Invalid("value", "of no kind that this build knows");
}

void Encode(const Value& value, v1::Value& message) {
  struct {
    v1::Value& out;
    void operator()(bool v) const { out.set_bool_value(v); }
    void operator()(std::int64_t v) const { out.set_int_value(v); }
    void operator()(double v) const { out.set_double_value(v); }
    void operator()(const std::string& v) const { out.set_string_value(v); }
  } put{message};
  std::visit(put, value);
}

StatusOr<ModelPlan> Decode(const v1::ModelPlan& message) {
  ModelPlan plan;
  FED_RETURN_IF_ERROR(CheckText("plan.name", message.name(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(CheckText("plan.loss", message.loss(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(CheckText("plan.initializer", message.initializer().name(), kMaxNameBytes));
  FED_RETURN_IF_ERROR(CheckRange("rank of plan.input", message.input_size(), 1, kMaxRank));
  FED_RETURN_IF_ERROR(CheckRange("number of plan.layers", message.layers_size(), 0, kMaxLayers));
  if (!std::isfinite(message.initializer().sigma())) return Invalid("plan.sigma", "not finite");
  plan.name = message.name();
  plan.loss = message.loss();
  plan.initializer = {message.initializer().name(), message.initializer().sigma()};
  for (const std::int64_t dimension : message.input()) {
    FED_RETURN_IF_ERROR(CheckRange("plan.input", dimension, 1, kMaxDimension));
    plan.input.push_back(dimension);
  }
  for (const v1::LayerPlan& layer : message.layers()) {
    FED_ASSIGN_OR_RETURN(LayerPlan decoded, DecodeLayer(layer));
    plan.layers.push_back(std::move(decoded));
  }
  return plan;
}

void Encode(const ModelPlan& plan, v1::ModelPlan& message) {
  message.set_name(plan.name);
  message.set_loss(plan.loss);
  message.mutable_initializer()->set_name(plan.initializer.name);
  message.mutable_initializer()->set_sigma(plan.initializer.sigma);
  message.mutable_input()->Assign(plan.input.begin(), plan.input.end());
  for (const LayerPlan& layer : plan.layers) {
    v1::LayerPlan& out = *message.add_layers();
    out.set_type(layer.type);
    out.set_name(layer.name);
    for (const auto& [name, value] : layer.attributes) {
      Encode(value, (*out.mutable_attributes())[name]);
    }
  }
}

}  // namespace fed::wire
