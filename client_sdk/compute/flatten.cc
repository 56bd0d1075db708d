// flatten: [28, 28] -> [784], the same values.
#include "client_sdk/compute/layer.h"

namespace fed::client {
namespace {

class Flatten final : public Layer {
 public:
  void Forward(Backend&, const LayerPass&) const override {}
  void Backward(Backend&, const LayerPass&) const override {}
  bool only_reshapes() const override { return true; }
};

}  // namespace

std::unique_ptr<Layer> NewFlatten(const LayerSource&) { return std::make_unique<Flatten>(); }

}  // namespace fed::client
