// Predictions: probabilities, plain outputs, and files.
#include "fed/predictor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "common/base/file.h"
#include "common/tensor/safetensors.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/client_sdk/compute/small_model.h"

namespace fed::client {
namespace {

using ::testing::HasSubstr;

TEST(Predictor, GivesTheLastLayersOutputs) {
  const auto predictor = ValueOf(Predictor::New(LinePlan(), LineModel(3, -1)));
  EXPECT_EQ(predictor->input_values(), 1);
  EXPECT_EQ(predictor->output_values(), 1);
  const std::vector<float> xs = {0, 1, 2};
  EXPECT_EQ(ValueOf(predictor->Predict(xs)), (std::vector<float>{-1, 2, 5}));
  EXPECT_TRUE(ValueOf(predictor->Predict({})).empty());
}

TEST(Predictor, GivesProbabilitiesOfMoreExamplesThanItTakesAtOnce) {
  const SmallData data(1203);
  const Parameters model = ValueOf(Initialize(SmallPlan(), 1));
  const auto predictor = ValueOf(Predictor::New(SmallPlan(), model));

  const std::vector<float> all = ValueOf(predictor->Predict(data.features));

  ASSERT_EQ(all.size(), 1203U * 3);
  for (std::size_t i = 0; i < 1203; ++i) {
    EXPECT_NEAR(all[3 * i] + all[3 * i + 1] + all[3 * i + 2], 1, 1e-5);
    const auto one = ValueOf(predictor->Predict(std::span(data.features).subspan(20 * i, 20)));
    for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(all[3 * i + k], one[k], 1e-6);
  }
}

TEST(Predictor, RefusesHalfAnExample) {
  const Parameters model = ValueOf(Initialize(SmallPlan(), 1));
  const auto predictor = ValueOf(Predictor::New(SmallPlan(), model));
  const std::vector<float> half(30);
  EXPECT_THAT(
      predictor->Predict(half),
      fed::testing::StatusIs(StatusCode::kInvalidArgument,
                             HasSubstr("30 values are no whole number of examples of 20 values")));
}

TEST(Predictor, LoadsASafetensorsFile) {
  const fed::testing::TempFolder folder;
  const std::string path = folder.File("line.safetensors");
  ASSERT_OK(SaveSafetensors(FileSystem::Real(), path, LineModel(2, 1)));

  const auto predictor = ValueOf(Predictor::Load(LinePlan(), path));

  const std::vector<float> x = {4};
  EXPECT_EQ(ValueOf(predictor->Predict(x)), (std::vector<float>{9}));
}

TEST(Predictor, RefusesAFileThatIsNotThereAndAnothersModel) {
  EXPECT_THAT(Predictor::Load(LinePlan(), "/nowhere/line.safetensors"),
              fed::testing::StatusIs(StatusCode::kNotFound, HasSubstr("/nowhere")));
  EXPECT_THAT(Predictor::New(SmallPlan(), LineModel(2, 1)),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     HasSubstr("the model lacks hidden.weight")));
}

TEST(ArgMax, TakesTheFirstOfEquals) {
  const std::vector<float> rows = {1, 3, 3, 0, 0, 0, -5, -2, -1};
  EXPECT_THAT(ArgMax(rows, 3), ::testing::ElementsAre(1, 0, 2));
}

}  // namespace
}  // namespace fed::client
