// Inference with a merged model.
#ifndef FED_PREDICTOR_H_
#define FED_PREDICTOR_H_

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

// Not thread-safe; make one a thread.
class Predictor {
 public:
  // kInvalidArgument: the parameters are not the plan's (name, shape or dtype, both named).
  static StatusOr<std::unique_ptr<Predictor>> New(const ModelPlan& plan, const Parameters& model);
  // From a safetensors file.
  static StatusOr<std::unique_ptr<Predictor>> Load(const ModelPlan& plan,
                                                   const std::string& model_path);

  virtual ~Predictor() = default;

  virtual std::int64_t input_values() const = 0;   // of one example
  virtual std::int64_t output_values() const = 0;  // of one example

  // examples: n x input_values(), row-major. Returns n x output_values(): class probabilities for
  // softmax_cross_entropy, else the last layer's output.
  virtual StatusOr<std::vector<float>> Predict(std::span<const float> examples) = 0;
};

// The place of the largest value of each row of `columns`; the first of equals.
std::vector<std::int64_t> ArgMax(std::span<const float> rows, std::int64_t columns);

}  // namespace fed

#endif  // FED_PREDICTOR_H_
