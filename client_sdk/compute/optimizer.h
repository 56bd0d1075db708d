// Moves weights against their gradients.
#ifndef FED_CLIENT_SDK_COMPUTE_OPTIMIZER_H_
#define FED_CLIENT_SDK_COMPUTE_OPTIMIZER_H_

#include <memory>
#include <utility>

#include "client_sdk/compute/backend.h"
#include "client_sdk/compute/hyper_parameters.h"
#include "fed/status.h"

namespace fed::client {

// Stochastic gradient descent with momentum and weight decay (SgdStep has the formula). Its
// velocity begins at zero: one a training. Borrows the backend.
class Sgd final {
 public:
  // kResourceExhausted: no memory for the velocity.
  static StatusOr<Sgd> New(const HyperParameters& parameters, std::int64_t values,
                           Backend& backend);

  void Step(Slice gradients, Slice weights);

 private:
  Sgd(SgdStep step, std::unique_ptr<Buffer> velocity, Backend& backend)
      : step_(step), velocity_(std::move(velocity)), backend_(&backend) {}

  SgdStep step_;
  std::unique_ptr<Buffer> velocity_;  // null without momentum
  Backend* backend_;                  // never null; a pointer so that it moves
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_OPTIMIZER_H_
