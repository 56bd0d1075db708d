// Inference: a network that is loaded once.
#include "fed/predictor.h"

#include <algorithm>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client_sdk/compute/cpu_backend.h"
#include "client_sdk/compute/network.h"
#include "common/base/file.h"
#include "common/tensor/safetensors.h"

namespace fed {
namespace client {
namespace {

constexpr std::int64_t kPredictedAtOnce = 500;  // examples

class NetworkPredictor final : public Predictor {
 public:
  NetworkPredictor(std::unique_ptr<Backend> backend, std::unique_ptr<Network> network)
      : backend_(std::move(backend)), network_(std::move(network)) {}

  std::int64_t input_values() const override { return network_->input_values(); }
  std::int64_t output_values() const override { return network_->output_values(); }

  StatusOr<std::vector<float>> Predict(std::span<const float> examples) override {
    const std::size_t inputs = static_cast<std::size_t>(input_values());
    const std::size_t outputs = static_cast<std::size_t>(output_values());
    if (examples.size() % inputs != 0) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat(examples.size(), " values are no whole number of examples of ",
                                 inputs, " values"));
    }
    const std::size_t count = examples.size() / inputs;
    const std::size_t at_once = std::min(static_cast<std::size_t>(kPredictedAtOnce), count);
    try {
      std::vector<float> predictions(count * outputs);
      FED_RETURN_IF_ERROR(
          network_->Reserve(static_cast<std::int64_t>(at_once), Network::Use::kPredict));
      for (std::size_t done = 0; done < count; done += at_once) {
        const std::size_t rows = std::min(at_once, count - done);
        network_->Forward({examples.data() + done * inputs, rows * inputs});
        backend_->Read(network_->Predictions(),
                       absl::MakeSpan(predictions).subspan(done * outputs, rows * outputs));
      }
      return predictions;
    } catch (const std::bad_alloc&) {
      return Status(StatusCode::kResourceExhausted,
                    absl::StrCat("no memory for ", count, " predictions"));
    }
  }

 private:
  const std::unique_ptr<Backend> backend_;  // outlives the network
  const std::unique_ptr<Network> network_;
};

}  // namespace
}  // namespace client

StatusOr<std::unique_ptr<Predictor>> Predictor::New(const ModelPlan& plan,
                                                    const Parameters& model) {
  std::unique_ptr<client::Backend> backend = client::NewCpuBackend();
  FED_ASSIGN_OR_RETURN(std::unique_ptr<client::Network> network,
                       client::Network::New(plan, *backend));
  FED_RETURN_IF_ERROR(network->Load(model));
  return std::unique_ptr<Predictor>(
      std::make_unique<client::NetworkPredictor>(std::move(backend), std::move(network)));
}

StatusOr<std::unique_ptr<Predictor>> Predictor::Load(const ModelPlan& plan,
                                                     const std::string& model_path) {
  FED_ASSIGN_OR_RETURN(const Parameters model, LoadSafetensors(FileSystem::Real(), model_path));
  return New(plan, model);
}

std::vector<std::int64_t> ArgMax(std::span<const float> rows, std::int64_t columns) {
  const auto width = static_cast<std::size_t>(columns);
  std::vector<std::int64_t> places;
  places.reserve(rows.size() / width);
  for (std::size_t first = 0; first + width <= rows.size(); first += width) {
    const auto row = rows.subspan(first, width);
    places.push_back(std::max_element(row.begin(), row.end()) - row.begin());
  }
  return places;
}

}  // namespace fed
