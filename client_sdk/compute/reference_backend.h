// Plain loops over doubles: slow, and easy to believe. The other backends and the gradients of all
// layers are tested against it.
#ifndef FED_CLIENT_SDK_COMPUTE_REFERENCE_BACKEND_H_
#define FED_CLIENT_SDK_COMPUTE_REFERENCE_BACKEND_H_

#include <memory>
#include <string>

#include "client_sdk/compute/backend.h"

namespace fed::client {

class ReferenceBackend final : public Backend {
 public:
  // The values themselves, for finite differences.
  static absl::Span<double> Values(Slice slice);

  std::string name() const override { return "reference"; }
  StatusOr<std::unique_ptr<Buffer>> Allocate(std::int64_t values) override;
  void Write(absl::Span<const float> from, Slice to) override;
  void Read(Slice from, absl::Span<float> to) override;
  void Multiply(ProductForm form, ProductSize size, Slice a, Slice b, Slice out) override;
  void AddRow(Slice row, Slice matrix) override;
  void SumRows(Slice matrix, Slice sums) override;
  void Activate(Activation kind, Slice in, Slice out) override;
  void ActivateGradient(Activation kind, Slice out, Slice out_gradient, Slice in_gradient) override;
  void Softmax(Slice logits, std::int64_t columns, Slice probabilities) override;
  double SoftmaxCrossEntropy(Slice logits, Slice labels, Slice gradient) override;
  double SquaredError(Slice outputs, Slice targets, Slice gradient) override;
  void Step(const SgdStep& step, Slice gradient, Slice velocity, Slice weights) override;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_REFERENCE_BACKEND_H_
