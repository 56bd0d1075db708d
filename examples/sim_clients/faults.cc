// A trainer around a trainer.
#include "examples/sim_clients/faults.h"

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <utility>

namespace fed::examples {
namespace {

class FaultyTrainer final : public Trainer {
 public:
  FaultyTrainer(std::unique_ptr<Trainer> inner, const FaultSpec& spec, std::uint64_t client)
      : inner_(std::move(inner)),
        spec_(spec),
        slow_(IsSlow(spec, client)),
        random_(spec.seed, RandomPurpose::kFault, 2 * client) {}

  StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig& config,
                              TrainContext& context) override {
    const bool vanishes = random_.Uniform() < spec_.drop;
    const auto keep_going = context.keep_going;
    context.keep_going = [&](const TrainProgress& progress) {
      if (vanishes && progress.step >= progress.steps / 2) return false;
      if (slow_) std::this_thread::sleep_for(absl::ToChronoMilliseconds(spec_.slow_batch));
      return keep_going == nullptr || keep_going(progress);
    };
    StatusOr<TrainResult> result = inner_->Train(global, config, context);
    context.keep_going = keep_going;
    return result;
  }

  StatusOr<std::map<std::string, double>> Evaluate(const Parameters& model,
                                                   const TrainConfig& config,
                                                   TrainContext& context) override {
    return inner_->Evaluate(model, config, context);
  }

 private:
  std::unique_ptr<Trainer> inner_;
  const FaultSpec spec_;
  const bool slow_;
  RandomStream random_;
};

}  // namespace

bool IsSlow(const FaultSpec& spec, std::uint64_t client) {
  return RandomStream(spec.seed, RandomPurpose::kFault, 2 * client + 1).Uniform() < spec.slow_share;
}

std::unique_ptr<Trainer> WithFaults(std::unique_ptr<Trainer> inner, const FaultSpec& spec,
                                    std::uint64_t client) {
  return std::make_unique<FaultyTrainer>(std::move(inner), spec, client);
}

}  // namespace fed::examples
