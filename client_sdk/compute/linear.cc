// linear: y = x W^T + b over rows of examples; W is (out x in).
#include "client_sdk/compute/layer.h"

namespace fed::client {
namespace {

class Linear final : public Layer {
 public:
  Linear(std::int64_t in, std::int64_t out) : in_(in), out_(out) {}

  void Forward(Backend& backend, const LayerPass& pass) const override {
    backend.Multiply(ProductForm::kNT, {pass.rows, out_, in_}, pass.input, pass.tensors[0],
                     pass.output);
    if (pass.tensors.size() > 1) backend.AddRow(pass.tensors[1], pass.output);
  }

  // dW = dy^T x, db = the sum of dy's rows, dx = dy W
  void Backward(Backend& backend, const LayerPass& pass) const override {
    backend.Multiply(ProductForm::kTN, {out_, in_, pass.rows}, pass.output_gradient, pass.input,
                     pass.gradients[0]);
    if (pass.gradients.size() > 1) backend.SumRows(pass.output_gradient, pass.gradients[1]);
    if (pass.input_gradient.empty()) return;
    backend.Multiply(ProductForm::kNN, {pass.rows, in_, out_}, pass.output_gradient,
                     pass.tensors[0], pass.input_gradient);
  }

 private:
  const std::int64_t in_;
  const std::int64_t out_;
};

}  // namespace

std::unique_ptr<Layer> NewLinear(const LayerSource& source) {
  return std::make_unique<Linear>(ElementsOf(source.input), ElementsOf(source.shape.output));
}

}  // namespace fed::client
