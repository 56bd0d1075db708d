// Training by the built-in trainer against the same steps in numpy (mlp_reference.py).
#include <gtest/gtest.h>

#include <vector>

#include "common/base/random.h"
#include "common/tensor/safetensors.h"
#include "fed/trainer.h"
#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed {
namespace {

constexpr std::int64_t kInputs = 35, kClasses = 4;

struct Case {
  const char* name;
  const char* activation;
  const char* loss;
  double momentum, weight_decay;
};

constexpr Case kCases[] = {
    {"Plain", "relu", "softmax_cross_entropy", 0, 0},
    {"Momentum", "relu", "softmax_cross_entropy", 0.9, 0},
    {"Decay", "tanh", "softmax_cross_entropy", 0, 0.01},
    {"MomentumAndDecay", "sigmoid", "softmax_cross_entropy", 0.5, 0.01},
    {"Mse", "tanh", "mse", 0.9, 0.001},
};

// Writes down which batches were asked for, example by example.
class RecordingDataset final : public Dataset {
 public:
  RecordingDataset(std::int64_t size, bool labels) : size_(size), labels_(labels) {}

  std::int64_t size() const override { return size_; }
  std::vector<std::int64_t> example_shape() const override { return {7, 5}; }
  std::int64_t target_values() const override { return labels_ ? 1 : kClasses; }

  void Gather(std::span<const std::int64_t> indices, std::span<float> features,
              std::span<float> targets) const override {
    for (std::size_t k = 0; k < indices.size(); ++k) {
      RandomStream random(6, RandomPurpose::kTest, static_cast<std::uint64_t>(indices[k]));
      const std::size_t each = static_cast<std::size_t>(target_values());
      for (float& v : features.subspan(k * kInputs, kInputs)) {
        v = static_cast<float>(random.Normal());
      }
      for (float& v : targets.subspan(k * each, each)) {
        v = labels_ ? static_cast<float>(random.Below(kClasses))
                    : static_cast<float>(random.Normal());
      }
    }
    sizes.push_back(static_cast<float>(indices.size()));
    all_features.insert(all_features.end(), features.begin(), features.end());
    all_targets.insert(all_targets.end(), targets.begin(), targets.end());
  }

  mutable std::vector<float> sizes, all_features, all_targets;

 private:
  const std::int64_t size_;
  const bool labels_;
};

void Append(Parameters& file, const std::string& name, std::vector<std::int64_t> shape,
            std::span<const float> values) {
  ASSERT_OK(file.Add({name, Dtype::kF32, std::move(shape)}));
  std::copy(values.begin(), values.end(), file.values(file.size() - 1).begin());
}

void AppendModel(Parameters& file, const std::string& prefix, const Parameters& model) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    Append(file, prefix + model.info(i).name, model.info(i).shape, model.values(i));
  }
}

class MlpTest : public ::testing::TestWithParam<Case> {};

TEST_P(MlpTest, EndsWhereNumpyEnds) {
  const Case& c = GetParam();
  const std::string text = std::string("name='mlp'\ninput=[7,5]\nloss='") + c.loss +
                           "'\n[[layer]]\ntype='flatten'\n[[layer]]\ntype='linear'\nname='a'\n"
                           "out=16\n[[layer]]\ntype='" +
                           c.activation + "'\n[[layer]]\ntype='linear'\nname='b'\nout=4\n";
  ASSERT_OK_AND_ASSIGN(const ModelPlan plan, ParseModelPlan(text, c.name));
  ASSERT_OK_AND_ASSIGN(const Parameters model, Initialize(plan, 21));
  const RecordingDataset data(64, std::string(c.loss) != "mse");
  ASSERT_OK_AND_ASSIGN(const auto trainer, NewNativeTrainer(plan, data));
  TrainContext context;
  context.seed = 5;
  ASSERT_OK_AND_ASSIGN(const TrainResult result, trainer->Train(model,
                                                                {{"learning_rate", 0.1},
                                                                 {"momentum", c.momentum},
                                                                 {"weight_decay", c.weight_decay},
                                                                 {"batch_size", std::int64_t{10}},
                                                                 {"epochs", std::int64_t{3}}},
                                                                context));
  Parameters file;
  AppendModel(file, "initial.", model);
  AppendModel(file, "trained.", result.parameters);
  const auto rows = static_cast<std::int64_t>(data.all_features.size()) / kInputs;
  Append(file, "features", {rows, kInputs}, data.all_features);
  Append(file, "targets", {rows, data.target_values()}, data.all_targets);
  Append(file, "batch_sizes", {static_cast<std::int64_t>(data.sizes.size())}, data.sizes);
  const testing::TempFolder folder;
  const std::string path = folder.File("mlp.safetensors");
  ASSERT_OK(SaveSafetensors(FileSystem::Real(), path, file,
                            {{"activation", c.activation},
                             {"loss", c.loss},
                             {"learning_rate", "0.1"},
                             {"momentum", std::to_string(c.momentum)},
                             {"weight_decay", std::to_string(c.weight_decay)},
                             {"mean_loss", std::to_string(result.scalars.at("loss"))}}));

  const testing::CommandResult numpy = testing::RunCommand(
      {"/usr/bin/python3", FED_SOURCE_DIR "/tests/numeric/mlp_reference.py", path});

  EXPECT_EQ(numpy.exit_code, 0) << "python3 and python3-numpy are needed\n" << numpy.output;
  EXPECT_EQ(data.sizes.size(), 21U);  // 3 epochs of 6 tens and a 4
}

INSTANTIATE_TEST_SUITE_P(Every, MlpTest, ::testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace fed
