// The optimizer's state around the backend's kernel.
#include "client_sdk/compute/optimizer.h"

namespace fed::client {

StatusOr<Sgd> Sgd::New(const HyperParameters& parameters, std::int64_t values, Backend& backend) {
  std::unique_ptr<Buffer> velocity;
  if (parameters.momentum != 0) {
    FED_ASSIGN_OR_RETURN(velocity, backend.Allocate(values));
  }
  const SgdStep step{parameters.learning_rate, parameters.momentum, parameters.weight_decay};
  return Sgd(step, std::move(velocity), backend);
}

void Sgd::Step(Slice gradients, Slice weights) {
  Slice velocity;
  if (velocity_ != nullptr) velocity = {velocity_.get(), 0, velocity_->values()};
  backend_->Step(step_, gradients, velocity, weights);
}

}  // namespace fed::client
