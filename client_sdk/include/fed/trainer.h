// Local training. Bring your own Trainer, or take the built-in one (NewNativeTrainer).
#ifndef FED_TRAINER_H_
#define FED_TRAINER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "fed/dataset.h"
#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

// The job's hyper-parameters by name; the built-in trainer's names, units and defaults are listed
// in client_sdk/compute/README.md ("epochs", "steps", "batch_size", "learning_rate", "momentum",
// "weight_decay", ...). An unknown name is kInvalidArgument: a typo never trains with a default in
// silence.
using TrainConfig = std::map<std::string, Value>;

struct TrainProgress {
  std::int64_t step = 0, steps = 0;  // batches done, batches in all
  double loss = 0;                   // of the last batch
};

// What surrounds one training; outlives the call.
struct TrainContext {
  std::uint64_t seed = 0;  // equal seed, data and device: equal result
  std::function<bool(const TrainProgress&)> keep_going;  // called between batches; false = stop now
  std::string state_dir;                     // kept between rounds, removed with the job
  std::map<std::string, Parameters> groups;  // further groups sent with the model, e.g. "control"
};

struct TrainResult {
  Parameters parameters;  // trained; the SDK makes the delta. Same names, shapes, dtypes.
  std::map<std::string, Parameters> groups;  // further groups that the job declares, ready to send
  std::map<std::string, double> scalars;  // "examples" (required, > 0), "loss", "local_steps", ...
};

// Not thread-safe: one training at a time.
class Trainer {
 public:
  virtual ~Trainer() = default;

  // kCancelled if keep_going said so: nothing is uploaded. kResourceExhausted: out of memory.
  virtual StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig& config,
                                      TrainContext& context) = 0;

  // Scalars of the given model on local held-out data, "examples" among them.
  // kUnimplemented, the default: this device takes no part in evaluation.
  virtual StatusOr<std::map<std::string, double>> Evaluate(const Parameters& model,
                                                           const TrainConfig& config,
                                                           TrainContext& context);
};

struct Device {
  enum class Kind { kCpu, kCuda, kAuto };  // kAuto: CUDA if this machine has it, else the CPU
  Kind kind = Kind::kAuto;
  int index = 0;  // of the CUDA device
};

// The built-in trainer. kUnavailable if CUDA is asked for and no usable device is present;
// kUnimplemented for a layer that the device lacks. `data` (and its buffers) outlives the trainer.
// Evaluate uses the same data.
StatusOr<std::unique_ptr<Trainer>> NewNativeTrainer(const ModelPlan& model, const Dataset& data,
                                                    Device device = {});

}  // namespace fed

#endif  // FED_TRAINER_H_
