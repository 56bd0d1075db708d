// A model plan made runnable on a backend: its layers, its loss, and the memory of all of them.
#ifndef FED_CLIENT_SDK_COMPUTE_NETWORK_H_
#define FED_CLIENT_SDK_COMPUTE_NETWORK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "client_sdk/compute/backend.h"
#include "client_sdk/compute/layer.h"
#include "client_sdk/compute/loss.h"
#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed::client {

// Order of calls: New, Load, Reserve; then any number of Forward, each followed by at most one of
// Loss, Backward, Predictions; Store at any time. Nothing takes memory from Forward on. Not
// thread-safe; borrows the backend.
class Network {
 public:
  // kInvalidArgument: the plan is not one (ShapesOf). kUnimplemented: a layer or loss that this
  // build lacks. kResourceExhausted: no memory for the weights.
  static StatusOr<std::unique_ptr<Network>> New(const ModelPlan& plan, Backend& backend);

  std::int64_t input_values() const { return input_values_; }    // of one example
  std::int64_t output_values() const { return output_values_; }  // of one example
  const Loss& loss() const { return *loss_; }
  Backend& backend() const { return backend_; }

  // Takes the model's values. kInvalidArgument: it lacks a tensor of the plan, has one that the
  // plan lacks, or one of another shape or of no trainable dtype. Tensors of no trainable dtype
  // that the plan lacks are let be.
  Status Load(const Parameters& model);
  // Puts the values into a model that Load has accepted.
  void Store(Parameters& model) const;

  enum class Use { kPredict, kTrain };
  // Memory for passes over up to `rows` examples. kResourceExhausted.
  Status Reserve(std::int64_t rows, Use use);

  // features: rows x input_values(). Returns the outputs, rows x output_values().
  // REQUIRES: reserved for that many rows.
  Slice Forward(absl::Span<const float> features);

  // Of the last Forward. targets: rows x loss().target_values(). The mean loss of the rows.
  double MeanLoss(absl::Span<const float> targets);
  // The same, and its gradients by all weights. REQUIRES: reserved for Use::kTrain.
  double Backward(absl::Span<const float> targets);
  Slice Predictions();

  // All tensors end to end, each at a multiple of 16 values; what lies between stays zero.
  Slice weights() const { return {weights_.get(), 0, weights_->values()}; }
  Slice gradients() const { return {gradients_.get(), 0, gradients_->values()}; }

 private:
  // A layer with its places; its activations begin at `output`, a value's place for one row.
  struct Stage {
    std::unique_ptr<Layer> layer;
    std::vector<Slice> tensors, gradients;
    Slice output, output_gradient;  // for reserved_rows_ examples
    std::int64_t values = 0;        // of one example's output
  };
  struct Tensor {
    TensorInfo info;
    std::int64_t first = 0;
  };

  Network(const ModelPlan& plan, Backend& backend);
  Status AddLayers(const ModelPlan& plan, const std::vector<LayerShape>& shapes);
  Status PlaceTensors(const std::vector<LayerShape>& shapes);
  Status CheckTensor(const Parameters& model, const TensorInfo& wanted) const;
  Slice OutputOf(std::size_t stage) const;
  LayerPass PassOf(std::size_t stage) const;
  Slice PutTargets(absl::Span<const float> targets);

  Backend& backend_;
  const std::string plan_name_;
  std::unique_ptr<Loss> loss_;
  std::vector<Stage> stages_;
  std::vector<Tensor> tensors_;
  std::size_t first_trained_ = 0;  // the first stage that has tensors
  std::int64_t input_values_ = 0, output_values_ = 0;
  std::int64_t reserved_rows_ = 0, rows_ = 0;  // rows_: of the last Forward
  Use reserved_use_ = Use::kPredict;
  std::unique_ptr<Buffer> weights_, gradients_;
  std::unique_ptr<Buffer> activations_, activation_gradients_, ends_;
  Slice input_, targets_, room_;  // for reserved_rows_ examples
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_NETWORK_H_
