// Local training: batches through a network and an optimizer; and the measuring of a model.
#ifndef FED_CLIENT_SDK_COMPUTE_TRAINING_LOOP_H_
#define FED_CLIENT_SDK_COMPUTE_TRAINING_LOOP_H_

#include <cstdint>
#include <functional>

#include "client_sdk/compute/hyper_parameters.h"
#include "client_sdk/compute/network.h"
#include "fed/dataset.h"
#include "fed/status.h"
#include "fed/trainer.h"

namespace fed::client {

struct TrainingReport {
  std::int64_t steps = 0;
  double mean_loss = 0;  // over all examples seen, each before its own step
};

// Trains the network's weights in place. kCancelled: keep_going said no, which is asked before
// every step. kInvalidArgument: an example's target can not be (the example is named), more than
// kMaxSteps steps, or the loss is no longer finite (the step is named). kResourceExhausted.
// REQUIRES: data.size() >= 1; its shapes are the network's.
StatusOr<TrainingReport> RunTraining(const HyperParameters& parameters, const Dataset& data,
                                     const TrainContext& context, Network& network);

struct Measurement {
  double mean_loss = 0;
  double accuracy = 0;  // 0 unless the loss is a classification's
};

// The network on all of the data, in order, weights unchanged. Errors as above.
StatusOr<Measurement> Measure(const Dataset& data, const TrainContext& context, Network& network);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_TRAINING_LOOP_H_
