// A small model and data for the tests of this room.
#ifndef FED_TESTS_UNIT_CLIENT_SDK_COMPUTE_SMALL_MODEL_H_
#define FED_TESTS_UNIT_CLIENT_SDK_COMPUTE_SMALL_MODEL_H_

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "fed/dataset.h"
#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {

template <typename T>
T ValueOf(StatusOr<T> result) {
  EXPECT_THAT(result, fed::testing::IsOk());
  return std::move(result).value();
}

// [4, 5] -> 8 -> relu -> 3 classes.
inline ModelPlan SmallPlan() {
  return ValueOf(ParseModelPlan(R"(name = "small"
input = [4, 5]
loss = "softmax_cross_entropy"
[[layer]]
type = "flatten"
[[layer]]
type = "linear"
name = "hidden"
out = 8
[[layer]]
type = "relu"
[[layer]]
type = "linear"
name = "out"
out = 3
)",
                                "small.toml"));
}

// y = w x + b with one x.
inline ModelPlan LinePlan() {
  return ValueOf(ParseModelPlan(
      "name='line'\ninput=[1]\nloss='mse'\n[[layer]]\ntype='linear'\nname='line'\nout=1\n",
      "line.toml"));
}

// The line's model.
inline Parameters LineModel(float weight, float bias) {
  Parameters model = ValueOf(Initialize(LinePlan(), 1));
  model.values(0)[0] = weight;
  model.values(1)[0] = bias;
  return model;
}

// Examples around one center a class, which any classifier learns.
struct SmallData {
  explicit SmallData(std::int64_t examples) {
    RandomStream random(2, RandomPurpose::kTest, 0);
    for (std::int64_t i = 0; i < examples; ++i) {
      const auto label = static_cast<float>(i % 3);
      for (int k = 0; k < 20; ++k) {
        const double center = k % 3 == i % 3 ? 1.0 : 0.0;
        features.push_back(static_cast<float>(center + 0.3 * random.Normal()));
      }
      labels.push_back(label);
    }
    dataset = ValueOf(NewMemoryDataset(features, {4, 5}, labels));
  }

  std::vector<float> features, labels;
  std::unique_ptr<Dataset> dataset;
};

inline bool SameBytes(const Parameters& a, const Parameters& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const auto x = a.values(i), y = b.values(i);
    if (x.size() != y.size() || std::memcmp(x.data(), y.data(), x.size_bytes()) != 0) return false;
  }
  return true;
}

}  // namespace fed::client

#endif  // FED_TESTS_UNIT_CLIENT_SDK_COMPUTE_SMALL_MODEL_H_
