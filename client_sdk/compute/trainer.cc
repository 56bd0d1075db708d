// The built-in trainer: a network, the device's data, one training at a time.
#include "fed/trainer.h"

#include <cmath>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client_sdk/compute/cpu_backend.h"
#include "client_sdk/compute/hyper_parameters.h"
#include "client_sdk/compute/network.h"
#include "client_sdk/compute/training_loop.h"

namespace fed {
namespace client {
namespace {

Status OutOfMemory() {
  return Status(StatusCode::kResourceExhausted, "no memory for this model and batch size");
}

// The last step's weights have been through no loss.
Status CheckFinite(const Parameters& trained) {
  for (std::size_t i = 0; i < trained.size(); ++i) {
    for (const float value : trained.values(i)) {
      if (std::isfinite(value)) continue;
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("training diverged: ", trained.info(i).name,
                                 " is no longer finite; a lower learning_rate may help"));
    }
  }
  return Status();
}

class NativeTrainer final : public Trainer {
 public:
  NativeTrainer(std::unique_ptr<Backend> backend, std::unique_ptr<Network> network,
                const Dataset& data)
      : backend_(std::move(backend)), network_(std::move(network)), data_(data) {}

  StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig& config,
                              TrainContext& context) override {
    try {
      FED_ASSIGN_OR_RETURN(const HyperParameters parameters, ReadHyperParameters(config));
      FED_RETURN_IF_ERROR(CheckHasExamples());
      FED_RETURN_IF_ERROR(network_->Load(global));
      FED_ASSIGN_OR_RETURN(const TrainingReport report,
                           RunTraining(parameters, data_, context, *network_));
      TrainResult result;
      result.parameters = global.Clone();
      network_->Store(result.parameters);
      FED_RETURN_IF_ERROR(CheckFinite(result.parameters));
      result.scalars["examples"] = static_cast<double>(data_.size());
      result.scalars["loss"] = report.mean_loss;
      result.scalars["local_steps"] = static_cast<double>(report.steps);
      return result;
    } catch (const std::bad_alloc&) {
      return OutOfMemory();
    }
  }

  StatusOr<std::map<std::string, double>> Evaluate(const Parameters& model, const TrainConfig&,
                                                   TrainContext& context) override {
    try {
      FED_RETURN_IF_ERROR(CheckHasExamples());
      FED_RETURN_IF_ERROR(network_->Load(model));
      FED_ASSIGN_OR_RETURN(const Measurement measured, Measure(data_, context, *network_));
      std::map<std::string, double> scalars = {{"examples", static_cast<double>(data_.size())},
                                               {"loss", measured.mean_loss}};
      if (network_->loss().is_classification()) scalars["accuracy"] = measured.accuracy;
      return scalars;
    } catch (const std::bad_alloc&) {
      return OutOfMemory();
    }
  }

 private:
  Status CheckHasExamples() const {
    if (data_.size() >= 1) return Status();
    return Status(StatusCode::kFailedPrecondition, "the data set has no examples");
  }

  const std::unique_ptr<Backend> backend_;  // outlives the network
  const std::unique_ptr<Network> network_;
  const Dataset& data_;
};

StatusOr<std::unique_ptr<Backend>> NewBackend(const Device& device) {
  if (device.kind == Device::Kind::kCuda) {
    return Status(StatusCode::kUnavailable,
                  absl::StrCat("CUDA device ", device.index,
                               " is asked for, but no CUDA plug-in is installed: install it, or "
                               "choose Device::Kind::kCpu or kAuto"));
  }
  return NewCpuBackend();
}

Status CheckFits(const ModelPlan& plan, const Network& network, const Dataset& data) {
  const std::vector<std::int64_t> shape = data.example_shape();
  if (ElementsOf(shape) != network.input_values()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("the data's examples are ", ShapeText(shape), "; the plan '",
                               plan.name, "' takes ", ShapeText(plan.input)));
  }
  if (data.target_values() != network.loss().target_values()) {
    return Status(
        StatusCode::kInvalidArgument,
        absl::StrCat("the data has ", data.target_values(),
                     " target values for each example; the plan '", plan.name, "' with loss '",
                     plan.loss, "' takes ", network.loss().target_values()));
  }
  return Status();
}

}  // namespace
}  // namespace client

StatusOr<std::map<std::string, double>> Trainer::Evaluate(const Parameters&, const TrainConfig&,
                                                          TrainContext&) {
  return Status(StatusCode::kUnimplemented, "this trainer does not evaluate models");
}

StatusOr<std::unique_ptr<Trainer>> NewNativeTrainer(const ModelPlan& model, const Dataset& data,
                                                    Device device) {
  FED_ASSIGN_OR_RETURN(std::unique_ptr<client::Backend> backend, client::NewBackend(device));
  FED_ASSIGN_OR_RETURN(std::unique_ptr<client::Network> network,
                       client::Network::New(model, *backend));
  FED_RETURN_IF_ERROR(client::CheckFits(model, *network, data));
  return std::unique_ptr<Trainer>(
      std::make_unique<client::NativeTrainer>(std::move(backend), std::move(network), data));
}

}  // namespace fed
