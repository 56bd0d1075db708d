// What a job may say about the built-in trainer's local training.
#ifndef FED_CLIENT_SDK_COMPUTE_HYPER_PARAMETERS_H_
#define FED_CLIENT_SDK_COMPUTE_HYPER_PARAMETERS_H_

#include <cstdint>

#include "fed/status.h"
#include "fed/trainer.h"

namespace fed::client {

inline constexpr std::int64_t kMaxEpochs = 100'000;
inline constexpr std::int64_t kMaxSteps = 100'000'000;  // of one training, epochs' steps too
inline constexpr std::int64_t kMaxBatchSize = 1 << 24;

// Checked; README.md has units, ranges and defaults.
struct HyperParameters {
  std::int64_t epochs = 1;      // 0 if steps say how long
  std::int64_t steps = 0;       // 0 if epochs do
  std::int64_t batch_size = 0;  // 0: all examples
  double learning_rate = 0;
  double momentum = 0;
  double weight_decay = 0;
};

// kInvalidArgument: an unknown name (the known ones are listed), a wrong type, a value out of its
// range, epochs and steps at once, no learning_rate.
StatusOr<HyperParameters> ReadHyperParameters(const TrainConfig& config);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_HYPER_PARAMETERS_H_
