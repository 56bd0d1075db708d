// Which types of layer this build computes.
#include "absl/strings/str_cat.h"
#include "client_sdk/compute/layer.h"

namespace fed::client {
namespace {

struct Maker {
  absl::string_view type;
  std::unique_ptr<Layer> (*make)(const LayerSource& source);
};

constexpr Maker kMakers[] = {
    {"flatten", NewFlatten},  //
    {"linear", NewLinear},    //
    {"relu", NewRelu},        //
    {"sigmoid", NewSigmoid},  //
    {"tanh", NewTanh},        //
};

}  // namespace

StatusOr<std::unique_ptr<Layer>> NewLayer(const LayerSource& source) {
  for (const Maker& maker : kMakers) {
    if (maker.type == source.plan.type) return maker.make(source);
  }
  return Status(StatusCode::kUnimplemented,
                absl::StrCat("layer '", source.plan.name, "': this build can not compute type '",
                             source.plan.type, "'"));
}

}  // namespace fed::client
