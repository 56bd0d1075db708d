// relu, tanh, sigmoid: one function of each value.
#include "client_sdk/compute/layer.h"

namespace fed::client {
namespace {

class ActivationLayer final : public Layer {
 public:
  explicit ActivationLayer(Activation kind) : kind_(kind) {}

  void Forward(Backend& backend, const LayerPass& pass) const override {
    backend.Activate(kind_, pass.input, pass.output);
  }

  void Backward(Backend& backend, const LayerPass& pass) const override {
    if (pass.input_gradient.empty()) return;
    backend.ActivateGradient(kind_, pass.output, pass.output_gradient, pass.input_gradient);
  }

 private:
  const Activation kind_;
};

}  // namespace

std::unique_ptr<Layer> NewRelu(const LayerSource&) {
  return std::make_unique<ActivationLayer>(Activation::kRelu);
}

std::unique_ptr<Layer> NewSigmoid(const LayerSource&) {
  return std::make_unique<ActivationLayer>(Activation::kSigmoid);
}

std::unique_ptr<Layer> NewTanh(const LayerSource&) {
  return std::make_unique<ActivationLayer>(Activation::kTanh);
}

}  // namespace fed::client
