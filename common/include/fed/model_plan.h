// A model as data: layers, shapes, loss, initializer. Read from a TOML file by people and carried
// by model.proto on the wire; built-in trainers turn it into a network.
#ifndef FED_MODEL_PLAN_H_
#define FED_MODEL_PLAN_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

// A typed named value: a hyper-parameter, an attribute of a layer.
using Value = std::variant<bool, std::int64_t, double, std::string>;
std::string ToString(const Value& value);

// [[layer]] of the plan. Types and their attributes are listed in client_sdk/compute/README.md.
struct LayerPlan {
  std::string type;  // "linear", "relu", "tanh", "sigmoid", "flatten"
  std::string name;  // prefix of its tensors: "fc1" has "fc1.weight", "fc1.bias"
  std::map<std::string, Value> attributes;  // linear: {"out": 200, "bias": true}
  int line = 0;                             // in the file, for messages; 0: not from a file
  // Of what it says, wherever it was read: `line` does not count.
  friend bool operator==(const LayerPlan& a, const LayerPlan& b) {
    return a.type == b.type && a.name == b.name && a.attributes == b.attributes;
  }
};

// How the first version's values are drawn: "normal" (mean 0, `sigma`), "glorot" (uniform, Glorot
// and Bengio 2010), "he" (normal, He et al. 2015), "zeros". Biases are zeros but for "normal".
struct Initializer {
  std::string name = "glorot";
  double sigma = 1.0;  // of "normal"; 1.0 is N(0,1)
  friend bool operator==(const Initializer&, const Initializer&) = default;
};

struct ModelPlan {
  std::string name;
  std::vector<std::int64_t> input;  // shape of one example
  std::vector<LayerPlan> layers;
  std::string loss;  // "softmax_cross_entropy", "mse"
  Initializer initializer;
  friend bool operator==(const ModelPlan&, const ModelPlan&) = default;
};

// From TOML text. `source` names it in messages: "mlp.toml:12: layer 3 'fc1' (linear): unknown key
// 'ouput'; known: type, name, out, bias (did you mean 'out'?)". kInvalidArgument with source, line
// and what was expected. What it returns has been checked in full: TensorsOf succeeds.
StatusOr<ModelPlan> ParseModelPlan(std::string_view toml, std::string_view source);

// Shapes of all tensors that the plan's layers have, in order: PyTorch's names and layouts
// (weight is out x in). kInvalidArgument names the layer and both shapes when they do not fit.
StatusOr<std::vector<TensorInfo>> TensorsOf(const ModelPlan& plan);

// The first version. Equal plan and seed: equal bytes, on every machine. kInvalidArgument as
// TensorsOf; kResourceExhausted: no memory for its values.
StatusOr<Parameters> Initialize(const ModelPlan& plan, std::uint64_t seed);

}  // namespace fed

#endif  // FED_MODEL_PLAN_H_
