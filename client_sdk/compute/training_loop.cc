// The loops around a network. After its first step a training takes no memory.
#include "client_sdk/compute/training_loop.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "client_sdk/compute/optimizer.h"
#include "client_sdk/data/batches.h"
#include "fed/predictor.h"

namespace fed::client {
namespace {

constexpr std::int64_t kMeasuredAtOnce = 500;  // examples: enough to keep the products busy

// Examples gathered into floats of its own, of up to `rows`.
class Gatherer {
 public:
  Gatherer(const Dataset& data, const Network& network, std::int64_t rows)
      : data_(data),
        loss_(network.loss()),
        inputs_(static_cast<std::size_t>(network.input_values())),
        targets_each_(static_cast<std::size_t>(loss_.target_values())),
        features_(static_cast<std::size_t>(rows) * inputs_),
        targets_(static_cast<std::size_t>(rows) * targets_each_) {}

  // kInvalidArgument: a target that the loss can not take.
  Status Gather(absl::Span<const std::int64_t> indices) {
    count_ = indices.size();
    data_.Gather({indices.data(), count_}, {features_.data(), count_ * inputs_},
                 {targets_.data(), count_ * targets_each_});
    const std::optional<Loss::BadTarget> bad = loss_.Check(targets());
    if (!bad.has_value()) return Status();
    return Status(
        StatusCode::kInvalidArgument,
        absl::StrCat("example ", indices[static_cast<std::size_t>(bad->row)], " ", bad->what));
  }

  absl::Span<const float> features() const { return {features_.data(), count_ * inputs_}; }
  absl::Span<const float> targets() const { return {targets_.data(), count_ * targets_each_}; }

 private:
  const Dataset& data_;
  const Loss& loss_;
  const std::size_t inputs_, targets_each_;
  std::vector<float> features_, targets_;
  std::size_t count_ = 0;
};

Status GoesOn(const TrainContext& context, const TrainProgress& progress) {
  if (!context.keep_going || context.keep_going(progress)) return Status();
  return Status(StatusCode::kCancelled,
                absl::StrCat("stopped at step ", progress.step, " of ", progress.steps));
}

StatusOr<std::int64_t> StepsOf(const HyperParameters& parameters, const Batches& batches) {
  if (parameters.steps != 0) return parameters.steps;
  const std::int64_t each = batches.batches_per_epoch();
  if (each <= kMaxSteps / parameters.epochs) return parameters.epochs * each;
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat(parameters.epochs, " epochs of ", each, " batches are more than ",
                             kMaxSteps, " steps"));
}

Status Diverged(std::int64_t step, double loss) {
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("training diverged: the loss of step ", step, " is ", loss,
                             "; a lower learning_rate may help"));
}

std::int64_t CountCorrect(Network& network, Slice outputs, absl::Span<const float> labels,
                          std::vector<float>& room) {
  const std::span<float> rows(room.data(), static_cast<std::size_t>(outputs.count));
  network.backend().Read(outputs, {rows.data(), rows.size()});
  const std::vector<std::int64_t> classes = ArgMax(rows, network.output_values());
  std::int64_t correct = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    correct += classes[i] == static_cast<std::int64_t>(labels[i]) ? 1 : 0;
  }
  return correct;
}

}  // namespace

StatusOr<TrainingReport> RunTraining(const HyperParameters& parameters, const Dataset& data,
                                     const TrainContext& context, Network& network) {
  Batches batches(context.seed, data.size(), parameters.batch_size);
  TrainProgress progress;
  FED_ASSIGN_OR_RETURN(progress.steps, StepsOf(parameters, batches));
  FED_RETURN_IF_ERROR(network.Reserve(batches.batch_size(), Network::Use::kTrain));
  FED_ASSIGN_OR_RETURN(Sgd optimizer,
                       Sgd::New(parameters, network.weights().count, network.backend()));
  Gatherer gatherer(data, network, batches.batch_size());

  double loss_sum = 0;
  std::int64_t seen = 0;
  for (; progress.step < progress.steps; ++progress.step) {
    FED_RETURN_IF_ERROR(GoesOn(context, progress));
    const absl::Span<const std::int64_t> batch = batches.Next();
    FED_RETURN_IF_ERROR(gatherer.Gather(batch));
    network.Forward(gatherer.features());
    progress.loss = network.Backward(gatherer.targets());
    if (!std::isfinite(progress.loss)) return Diverged(progress.step + 1, progress.loss);
    optimizer.Step(network.gradients(), network.weights());
    loss_sum += progress.loss * static_cast<double>(batch.size());
    seen += static_cast<std::int64_t>(batch.size());
  }
  return TrainingReport{progress.steps, loss_sum / static_cast<double>(seen)};
}

StatusOr<Measurement> Measure(const Dataset& data, const TrainContext& context, Network& network) {
  const std::int64_t at_once = std::min(kMeasuredAtOnce, data.size());
  FED_RETURN_IF_ERROR(network.Reserve(at_once, Network::Use::kPredict));
  Gatherer gatherer(data, network, at_once);
  std::vector<std::int64_t> indices;
  std::vector<float> room(static_cast<std::size_t>(at_once * network.output_values()));

  double loss_sum = 0;
  std::int64_t correct = 0;
  TrainProgress progress;
  progress.steps = (data.size() + at_once - 1) / at_once;
  for (; progress.step < progress.steps; ++progress.step) {
    FED_RETURN_IF_ERROR(GoesOn(context, progress));
    const std::int64_t first = progress.step * at_once;
    indices.resize(static_cast<std::size_t>(std::min(at_once, data.size() - first)));
    std::iota(indices.begin(), indices.end(), first);
    FED_RETURN_IF_ERROR(gatherer.Gather(indices));
    const Slice outputs = network.Forward(gatherer.features());
    progress.loss = network.MeanLoss(gatherer.targets());
    loss_sum += progress.loss * static_cast<double>(indices.size());
    if (network.loss().is_classification()) {
      correct += CountCorrect(network, outputs, gatherer.targets(), room);
    }
  }
  const auto examples = static_cast<double>(data.size());
  return Measurement{loss_sum / examples, static_cast<double>(correct) / examples};
}

}  // namespace fed::client
