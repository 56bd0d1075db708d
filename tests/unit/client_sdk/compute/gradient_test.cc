// The gradient of every layer and loss against central finite differences, in double.
#include <gtest/gtest.h>

#include <cmath>

#include "client_sdk/compute/network.h"
#include "client_sdk/compute/reference_backend.h"
#include "common/base/random.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {
namespace {

struct Case {
  const char* name;
  const char* layers;  // between the input [3, 2] and the loss
  const char* loss = "mse";
};

#define FED_FLATTEN "[[layer]]\ntype='flatten'\n"
#define FED_LINEAR(name, out) "[[layer]]\ntype='linear'\nname='" name "'\nout=" #out "\n"

// Each layer stands between linear ones, so that both its gradients are seen.
constexpr Case kCases[] = {
    {"Linear", FED_FLATTEN FED_LINEAR("a", 4)},
    {"LinearWithoutBias", FED_FLATTEN FED_LINEAR("a", 4) "bias=false\n" FED_LINEAR("b", 2)},
    {"LinearAfterLinear", FED_FLATTEN FED_LINEAR("a", 4) FED_LINEAR("b", 5) FED_LINEAR("c", 2)},
    {"Relu", FED_FLATTEN FED_LINEAR("a", 6) "[[layer]]\ntype='relu'\n" FED_LINEAR("b", 3)},
    {"Tanh", FED_FLATTEN FED_LINEAR("a", 6) "[[layer]]\ntype='tanh'\n" FED_LINEAR("b", 3)},
    {"Sigmoid", FED_FLATTEN FED_LINEAR("a", 6) "[[layer]]\ntype='sigmoid'\n" FED_LINEAR("b", 3)},
    {"ActivationFirst", "[[layer]]\ntype='tanh'\n" FED_FLATTEN FED_LINEAR("a", 3)},
    {"ActivationLast", FED_FLATTEN FED_LINEAR("a", 3) "[[layer]]\ntype='sigmoid'\n"},
    {"FlattenBetween", FED_FLATTEN FED_LINEAR("a", 3) FED_FLATTEN FED_LINEAR("b", 3)},
    {"SoftmaxCrossEntropy", FED_FLATTEN FED_LINEAR("a", 4), "softmax_cross_entropy"},
    {"SoftmaxCrossEntropyOfAPerceptron",
     FED_FLATTEN FED_LINEAR("a", 7) "[[layer]]\ntype='relu'\n" FED_LINEAR("b", 5),
     "softmax_cross_entropy"},
};

class GradientTest : public ::testing::TestWithParam<Case> {};

TEST_P(GradientTest, IsTheLosssSlope) {
  constexpr std::int64_t kRows = 3;
  constexpr double kStep = 1e-5;
  const std::string text = std::string("name='g'\ninput=[3,2]\nloss='") + GetParam().loss +
                           "'\n[initializer]\nname='normal'\nsigma=0.7\n" + GetParam().layers;
  ASSERT_OK_AND_ASSIGN(const ModelPlan plan, ParseModelPlan(text, GetParam().name));
  ASSERT_OK_AND_ASSIGN(const Parameters model, Initialize(plan, 11));
  ReferenceBackend backend;
  ASSERT_OK_AND_ASSIGN(const auto network, Network::New(plan, backend));
  ASSERT_OK(network->Load(model));
  ASSERT_OK(network->Reserve(kRows, Network::Use::kTrain));
  RandomStream random(5, RandomPurpose::kTest, 0);
  std::vector<float> features(kRows * 6);
  for (float& v : features) v = static_cast<float>(random.Normal());
  std::vector<float> targets(static_cast<std::size_t>(kRows * network->loss().target_values()));
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i] = network->loss().is_classification() ? static_cast<float>(i)
                                                     : static_cast<float>(random.Normal());
  }

  network->Forward(features);
  network->Backward(targets);
  const absl::Span<const double> now = ReferenceBackend::Values(network->gradients());
  const std::vector<double> gradients(now.begin(), now.end());

  const absl::Span<double> weights = ReferenceBackend::Values(network->weights());
  const auto loss_at = [&](double& weight, double value) {
    const double before = weight;
    weight = value;
    network->Forward(features);
    const double loss = network->MeanLoss(targets);
    weight = before;
    return loss;
  };
  double largest = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const double w = weights[i];
    const double slope =
        (loss_at(weights[i], w + kStep) - loss_at(weights[i], w - kStep)) / (2 * kStep);
    EXPECT_NEAR(gradients[i], slope, 1e-8 * (1 + std::abs(slope))) << "weight " << i;
    largest = std::max(largest, std::abs(slope));
  }
  EXPECT_GT(largest, 1e-3) << "nothing was tested";
}

INSTANTIATE_TEST_SUITE_P(Every, GradientTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fed::client
