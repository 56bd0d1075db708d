// Plans: what is read, what is refused and with which words, and the first version's values.
#include "fed/model_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "common/crypto/digest.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;

constexpr char kPerceptron[] = R"(name = "mlp"
input = [28, 28]
loss = "softmax_cross_entropy"
[initializer]
name = "glorot"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
name = "fc1"
out = 200
[[layer]]
type = "relu"
[[layer]]
type = "linear"
name = "fc2"
out = 10
bias = false
)";

ModelPlan Parsed(const std::string& text) {
  StatusOr<ModelPlan> plan = ParseModelPlan(text, "test.toml");
  EXPECT_THAT(plan, testing::IsOk());
  return plan.ok() ? *std::move(plan) : ModelPlan{};
}

TEST(ModelPlan, HoldsWhatTheFileSays) {
  const ModelPlan plan = Parsed(kPerceptron);

  EXPECT_EQ(plan.name, "mlp");
  EXPECT_THAT(plan.input, ElementsAre(28, 28));
  EXPECT_EQ(plan.loss, "softmax_cross_entropy");
  EXPECT_EQ(plan.initializer.name, "glorot");
  ASSERT_EQ(plan.layers.size(), 4U);
  EXPECT_EQ(plan.layers[1].type, "linear");
  EXPECT_EQ(plan.layers[1].name, "fc1");
  EXPECT_EQ(plan.layers[1].attributes.at("out"), Value(std::int64_t{200}));
  EXPECT_EQ(plan.layers[1].line, 8);
  EXPECT_EQ(plan.layers[3].attributes.at("bias"), Value(false));
}

TEST(ModelPlan, IsEqualWhereverItWasReadFrom) {
  ModelPlan elsewhere = Parsed(kPerceptron);
  for (LayerPlan& layer : elsewhere.layers) layer.line = 0;
  EXPECT_EQ(elsewhere, Parsed(kPerceptron));

  elsewhere.layers[1].attributes["out"] = std::int64_t{201};
  EXPECT_FALSE(elsewhere == Parsed(kPerceptron));
}

TEST(ModelPlan, HasPyTorchsTensors) {
  ASSERT_OK_AND_ASSIGN(const auto tensors, TensorsOf(Parsed(kPerceptron)));

  EXPECT_THAT(tensors, ElementsAre(TensorInfo{"fc1.weight", Dtype::kF32, {200, 784}},
                                   TensorInfo{"fc1.bias", Dtype::kF32, {200}},
                                   TensorInfo{"fc2.weight", Dtype::kF32, {10, 200}}));
}

struct Refused {
  const char* what;
  const char* text;
  const char* message;
};

constexpr Refused kRefused[] = {
    {"UnknownKey", "name = 'a'\ninputs = [2]\n",
     "x.toml:2: unknown key 'inputs'; known: name, input, loss, initializer, layer (did you mean "
     "'input'?)"},
    {"NoName", "input = [2]\n", "x.toml:1: 'name' is missing: expected a string"},
    {"NameOfAnotherKind", "name = 3\n",
     "x.toml:1: 'name' is a whole number: expected a string that is not empty"},
    {"NoInput", "name = 'a'\nloss = 'mse'\n",
     "x.toml:1: 'input' is missing: expected the shape of one example, such as [28, 28]"},
    {"InputOfFractions", "name = 'a'\ninput = [2,\n 1.5]\n",
     "x.toml:3: expected the shape of one example, such as [28, 28]"},
    {"InputTooLarge",
     "name = 'a'\ninput = [65536, 65536]\nloss = 'mse'\n[[layer]]\ntype = 'flatten'\n",
     "x.toml: 'input' is [65536, 65536]: expected 1 to 8 whole numbers from 1 on whose product is "
     "at most 16777216"},
    {"NoLayer", "name = 'a'\ninput = [2]\nloss = 'mse'\n",
     "x.toml:1: there is no [[layer]]: expected at least one"},
    {"LayerIsNoTable", "name = 'a'\ninput = [2]\nloss = 'mse'\nlayer = 7\n",
     "x.toml:4: 'layer' is a whole number: expected [[layer]] tables"},
    {"LayerWithoutType", "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\nout = 3\n",
     "x.toml:4: 'type' is missing: expected a string"},
    {"UnknownLayer", "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'liner'\n",
     "x.toml:4: layer 1 (liner): unknown type 'liner'; known: linear, relu, tanh, sigmoid, flatten "
     "(did you mean 'linear'?)"},
    {"UnknownAttribute",
     "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nouts = 3\n",
     "x.toml:4: layer 1 'f' (linear): unknown key 'outs'; known: type, name, out, bias (did you "
     "mean 'out'?)"},
    {"AttributeOfALayerThatHasNone",
     "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'relu'\nslope = 3\n",
     "x.toml:4: layer 1 (relu): unknown key 'slope'; known: type, name"},
    {"NoOut", "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\n",
     "x.toml:4: layer 1 'f' (linear): 'out' is missing: expected a whole number from 1 to "
     "16777216"},
    {"OutOfZero",
     "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = 0\n",
     "x.toml:4: layer 1 'f' (linear): 'out' is 0: expected a whole number from 1 to 16777216"},
    {"OutOfText",
     "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = 'x'\n",
     "x.toml:4: layer 1 'f' (linear): 'out' is 'x': expected a whole number from 1 to 16777216"},
    {"BiasOfANumber",
     "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = 1\n"
     "bias = 1\n",
     "x.toml:4: layer 1 'f' (linear): 'bias' is 1: expected true or false"},
    {"AttributeOfAList",
     "name = 'a'\ninput = [2]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = [1]\n",
     "x.toml:7: 'out' is an array: expected a number, a string, true or false"},
    {"LinearOverAnImage",
     "name = 'a'\ninput = [4, 4]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = 1\n",
     "x.toml:4: layer 1 'f' (linear): takes a flat input, but what comes is [4, 4]: put a layer of "
     "type 'flatten' before it"},
    {"LinearWithoutName",
     "name = 'a'\ninput = [4]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nout = 1\n",
     "x.toml:4: layer 1 (linear): needs a 'name': its tensors are called by it"},
    {"NameTwice",
     "name = 'a'\ninput = [4]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = 1\n"
     "[[layer]]\ntype = 'linear'\nname = 'f'\nout = 1\n",
     "x.toml:8: layer 2 'f' (linear): its tensor 'f.weight' is there already: give each layer a "
     "name of its own"},
    {"TooManyValues",
     "name = 'a'\ninput = [16777216]\nloss = 'mse'\n[[layer]]\ntype = 'linear'\nname = 'f'\n"
     "out = 257\n",
     "x.toml:4: layer 1 'f' (linear): with it the model has 4311744512 values; at most 4294967296"},
    {"NothingToTrain", "name = 'a'\ninput = [4]\nloss = 'mse'\n[[layer]]\ntype = 'relu'\n",
     "x.toml: no layer has tensors: there is nothing to train"},
    {"UnknownLoss",
     "name = 'a'\ninput = [4]\nloss = 'msee'\n[[layer]]\ntype = 'linear'\nname = 'f'\nout = 1\n",
     "x.toml: unknown loss 'msee'; known: softmax_cross_entropy, mse (did you mean 'mse'?)"},
    {"OneClass",
     "name = 'a'\ninput = [4]\nloss = 'softmax_cross_entropy'\n[[layer]]\ntype = 'linear'\n"
     "name = 'f'\nout = 1\n",
     "x.toml: loss 'softmax_cross_entropy' takes a flat output of at least 2 classes, but the last "
     "layer's is [1]"},
    {"UnknownInitializer",
     "name = 'a'\ninput = [4]\nloss = 'mse'\n[initializer]\nname = 'xavier'\n[[layer]]\n"
     "type = 'linear'\nname = 'f'\nout = 1\n",
     "x.toml: unknown initializer 'xavier'; known: glorot, he, normal, zeros"},
    {"SigmaOfGlorot",
     "name = 'a'\ninput = [4]\nloss = 'mse'\n[initializer]\nname = 'glorot'\nsigma = 1.0\n",
     "x.toml:6: 'sigma' belongs to the initializer 'normal' alone"},
    {"SigmaOfZero",
     "name = 'a'\ninput = [4]\nloss = 'mse'\n[initializer]\nname = 'normal'\nsigma = 0\n"
     "[[layer]]\ntype = 'linear'\nname = 'f'\nout = 1\n",
     "x.toml: 'sigma' of the initializer is 0: expected a number above 0"},
    {"SigmaOfText",
     "name = 'a'\ninput = [4]\nloss = 'mse'\n[initializer]\nname = 'normal'\nsigma = 'x'\n",
     "x.toml:6: 'sigma' is a string: expected a number"},
};

class RefusedPlan : public ::testing::TestWithParam<Refused> {};

TEST_P(RefusedPlan, IsNamedWithItsLineAndWhatWasExpected) {
  EXPECT_THAT(ParseModelPlan(GetParam().text, "x.toml"),
              testing::StatusIs(StatusCode::kInvalidArgument, Eq(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(ModelPlan, RefusedPlan, ::testing::ValuesIn(kRefused),
                         [](const auto& info) { return std::string(info.param.what); });

TEST(ModelPlan, OfBrokenTomlIsRefusedWithItsLine) {
  EXPECT_THAT(ParseModelPlan("name = 'a'\ninput = [2\n", "x.toml"),
              testing::StatusIs(StatusCode::kInvalidArgument, HasSubstr("x.toml:")));
}

TEST(ModelPlan, ThatWasNotReadFromAFileIsRefusedByTheLayersPlace) {
  ModelPlan plan = Parsed(kPerceptron);
  for (LayerPlan& layer : plan.layers) layer.line = 0;
  plan.layers.erase(plan.layers.begin());

  EXPECT_THAT(TensorsOf(plan),
              testing::StatusIs(StatusCode::kInvalidArgument,
                                HasSubstr("layer 1 'fc1' (linear): takes a flat input")));
}

Parameters Drawn(const char* initializer, std::uint64_t seed = 7, double sigma = 1) {
  ModelPlan plan = Parsed(kPerceptron);
  plan.initializer = {initializer, sigma};
  StatusOr<Parameters> drawn = Initialize(plan, seed);
  EXPECT_THAT(drawn, testing::IsOk());
  return drawn.ok() ? *std::move(drawn) : Parameters();
}

double Deviation(std::span<const float> values) {
  double sum = 0, squares = 0;
  for (const float v : values) {
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  const double n = static_cast<double>(values.size());
  EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(squares / n) / std::sqrt(n));
  return std::sqrt(squares / n);
}

TEST(Initialize, DrawsNormalForEveryTensor) {
  const Parameters model = Drawn("normal");
  EXPECT_NEAR(Deviation(model.values(0)), 1.0, 0.01);
  EXPECT_NEAR(Deviation(model.values(1)), 1.0, 0.25);  // the bias too
  EXPECT_NEAR(Deviation(Drawn("normal", 7, 0.02).values(0)), 0.02, 0.0002);
}

TEST(Initialize, DrawsGlorotUniformWithinItsLimit) {
  const Parameters model = Drawn("glorot");
  const auto weights = model.values(0);
  const float limit = static_cast<float>(std::sqrt(6.0 / (784 + 200)));

  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  EXPECT_GE(*least, -limit);
  EXPECT_LE(*most, limit);
  EXPECT_LT(*least, -0.999F * limit);
  EXPECT_GT(*most, 0.999F * limit);
  EXPECT_NEAR(Deviation(weights), limit / std::sqrt(3.0), 0.001);
  EXPECT_THAT(model.values(1), ::testing::Each(0.0F));
}

TEST(Initialize, DrawsHeNormalByTheInputs) {
  const Parameters model = Drawn("he");
  EXPECT_NEAR(Deviation(model.values(0)), std::sqrt(2.0 / 784), 0.0005);
  EXPECT_NEAR(Deviation(model.values(2)), std::sqrt(2.0 / 200), 0.005);
  EXPECT_THAT(model.values(1), ::testing::Each(0.0F));
}

TEST(Initialize, LeavesZeros) {
  const Parameters model = Drawn("zeros");
  for (std::size_t i = 0; i < model.size(); ++i) {
    EXPECT_THAT(model.values(i), ::testing::Each(0.0F));
  }
}

std::string DigestOfWeights(const Parameters& model) {
  std::vector<std::uint8_t> bytes(model.values(0).size_bytes());
  std::memcpy(bytes.data(), model.values(0).data(), bytes.size());
  return Sha256(bytes).ToHex();
}

// What this implementation gave on x86-64; nothing else may change them.
constexpr char kGlorotDigest[] = "b3d09def09091aeceec6fbdffb14eb5ef3dd904d32db5aa2e6cf618149c9154b";
constexpr char kNormalDigest[] = "cda55773625440e63bafa1087b379d4b0271d0c2f61664a0c2d0a89d3457f745";

TEST(Initialize, GivesEqualBytesForEqualSeedsOnEveryMachine) {
  EXPECT_EQ(DigestOfWeights(Drawn("glorot")), kGlorotDigest);
  EXPECT_EQ(DigestOfWeights(Drawn("normal")), kNormalDigest);
  EXPECT_NE(DigestOfWeights(Drawn("glorot", 8)), kGlorotDigest);
}

TEST(Initialize, GivesEachTensorNumbersOfItsOwn) {
  const Parameters model = Drawn("normal");
  EXPECT_NE(model.values(0)[0], model.values(2)[0]);
}

}  // namespace
}  // namespace fed
