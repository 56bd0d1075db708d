// Models that come as files: every kind of tensor, a second group, transfer learning, the cache.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "tests/integration/job_operator.h"
#include "tests/integration/running_server.h"
#include "tests/integration/sdk_devices.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"

namespace fed::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAreArray;
using ::testing::Gt;
using ::testing::HasSubstr;
using ::testing::Lt;

void AddTensor(Parameters& model, const TensorInfo& info, std::uint64_t seed) {
  EXPECT_OK(model.Add(info));
  const std::size_t i = model.size() - 1;
  if (!IsTrainableDtype(info.dtype)) {
    for (std::size_t b = 0; b < model.bytes(i).size(); ++b) {
      model.bytes(i)[b] = static_cast<std::uint8_t>(17 * b + seed);
    }
    return;
  }
  const std::vector<float> values = SomeValues(info.elements(), seed);
  std::copy(values.begin(), values.end(), model.values(i).begin());
}

std::vector<float> ValuesOf(const Parameters& model, const std::string& name) {
  const auto values = model.values(model.Find(name).value());
  return {values.begin(), values.end()};
}

std::vector<std::uint8_t> BytesOf(const Parameters& model, const std::string& name) {
  const auto bytes = model.bytes(model.Find(name).value());
  return {bytes.begin(), bytes.end()};
}

// As the IEEE formats have it, written out: to nearest, ties to even.
float ToBf16(float value) {
  auto bits = std::bit_cast<std::uint32_t>(value);
  bits += 0x7FFF + ((bits >> 16) & 1);
  return std::bit_cast<float>(bits & 0xFFFF'0000);
}

// --- every kind of tensor, and a second group ---

Parameters MixedModel() {
  Parameters model;
  AddTensor(model, {"frozen.table", Dtype::kF32, {5}}, 1);
  AddTensor(model, {"body.weight", Dtype::kF32, {3, 2}}, 2);
  AddTensor(model, {"body.steps", Dtype::kI64, {2}}, 3);
  AddTensor(model, {"body.half", Dtype::kBF16, {4}}, 4);
  AddTensor(model, {"head.own", Dtype::kF32, {2}}, 5);
  return model;
}

// What device number k (1 or 2) makes of a model and its control in its n-th training (0, 1).
float TrainedWeight(float value, int k, int n) {
  return value + 0.1F * static_cast<float>(k) - 0.03F * static_cast<float>(n);
}
float TrainedHalf(float value, int k, int n) {
  return value * (1.0F + 0.05F * static_cast<float>(k + n));
}
float ControlOf(float control, int k) { return 0.5F * control + static_cast<float>(k); }
float OwnHead(float value, int k) { return value + 10.0F * static_cast<float>(k); }

// What the trainers saw, by device and training.
struct Seen {
  Mutex mu;
  std::map<std::pair<int, int>, std::vector<float>> heads, controls FED_GUARDED_BY(mu);
};

TrainFunction MixedTraining(int k, Seen& seen) {
  return [k, n = 0, &seen](const Parameters& global, TrainContext& context) mutable {
    TrainResult result;
    result.parameters = global.Clone();
    const auto each = [&](const char* name, auto change) {
      for (float& value : result.parameters.values(global.Find(name).value())) {
        value = change(value);
      }
    };
    each("body.weight", [&](float v) { return TrainedWeight(v, k, n); });
    each("body.half", [&](float v) { return TrainedHalf(v, k, n); });
    each("head.own", [&](float v) { return OwnHead(v, k); });
    each("frozen.table", [](float v) { return v + 1'000; });  // counts for nothing
    Parameters control = context.groups.at("control").Clone();
    {
      MutexLock lock(seen.mu);
      seen.heads[{k, n}] = ValuesOf(global, "head.own");
      seen.controls[{k, n}] = ValuesOf(control, "body.weight");
    }
    for (std::size_t i = 0; i < control.size(); ++i) {
      for (float& value : control.values(i)) value = ControlOf(value, k);
    }
    result.groups["control"] = std::move(control);
    result.scalars["examples"] = 10.0 * k;
    ++n;
    return StatusOr<TrainResult>(std::move(result));
  };
}

// The server's arithmetic for one value: the mean of both devices, weighted 10 to 20.
template <typename Train>
float Merged(float value, int n, Train train) {
  double sum = 0;
  for (int k = 1; k <= 2; ++k) sum += 10.0 * k * double{train(value, k, n) - value};
  const auto mean = static_cast<float>(sum / 30.0);
  return static_cast<float>(double{value} + double{mean});
}

struct Expected {
  std::vector<float> weight, half;
  float control = 0;  // the same in every place
};

// Both rounds, by hand.
Expected ExpectedAfter(int rounds, const Parameters& initial) {
  Expected now{ValuesOf(initial, "body.weight"), ValuesOf(initial, "body.half")};
  for (float& value : now.half) value = ToBf16(value);
  for (int n = 0; n < rounds; ++n) {
    for (float& value : now.weight) value = Merged(value, n, TrainedWeight);
    for (float& value : now.half) value = ToBf16(Merged(value, n, TrainedHalf));
    const double mean = (double{ControlOf(now.control, 1)} + double{ControlOf(now.control, 2)}) / 2;
    now.control = static_cast<float>(double{now.control} + 0.5 * double{static_cast<float>(mean)});
  }
  return now;
}

TEST(ModelFiles, EveryKindOfTensorAndASecondGroupGoThroughTwoRounds) {
  const Parameters initial = MixedModel();
  Seen seen;
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "mixed",
               .rounds = 2,
               .cohort = 2,
               .training = "",
               .in_model = "frozen = [\"frozen.*\"]\nlocal = [\"head.*\"]",
               .more = "[[group]]\nname = \"control\"\nweighting = \"uniform\"\n"
                       "server_learning_rate = 0.5\n",
               .plan = "",
               .model = FileOf(initial)});
  SdkDevices devices(server);
  for (int k = 1; k <= 2; ++k) {
    devices.Add(TestPki::Shared().Client(absl::StrCat("device-", k)), "mixed",
                TrainBy(MixedTraining(k, seen)));
  }

  ASSERT_TRUE(devices.AwaitEnds());

  const Expected expected = ExpectedAfter(2, initial);
  const Parameters model = oper.Download("mixed", 2);
  EXPECT_THAT(ValuesOf(model, "body.weight"), ElementsAreArray(expected.weight));
  EXPECT_THAT(ValuesOf(model, "body.half"), ElementsAreArray(expected.half));
  EXPECT_EQ(ValuesOf(model, "frozen.table"), ValuesOf(initial, "frozen.table"));
  EXPECT_EQ(ValuesOf(model, "head.own"), ValuesOf(initial, "head.own"));
  EXPECT_EQ(BytesOf(model, "body.steps"), BytesOf(initial, "body.steps"));
  for (std::size_t i = 0; i < initial.size(); ++i) EXPECT_EQ(model.info(i), initial.info(i));
  const Parameters control = oper.Download("mixed", 2, "control");
  ASSERT_EQ(control.size(), 2U);
  EXPECT_EQ(control.info(0), (TensorInfo{"body.weight", Dtype::kF32, {3, 2}}));
  EXPECT_EQ(control.info(1), (TensorInfo{"body.half", Dtype::kF32, {4}}));
  EXPECT_THAT(ValuesOf(control, "body.weight"), ::testing::Each(expected.control));
  EXPECT_THAT(ValuesOf(control, "body.half"), ::testing::Each(expected.control));

  MutexLock lock(seen.mu);
  for (int k = 1; k <= 2; ++k) {
    std::vector<float> head = ValuesOf(initial, "head.own");
    EXPECT_EQ((seen.heads[{k, 0}]), head);
    for (float& value : head) value = OwnHead(value, k);
    EXPECT_EQ((seen.heads[{k, 1}]), head) << "its own, not the other's and not the server's";
    EXPECT_THAT((seen.controls[{k, 0}]), ::testing::Each(0.0F));
    EXPECT_THAT((seen.controls[{k, 1}]), ::testing::Each(ExpectedAfter(1, initial).control));
  }
}

// --- transfer learning ---

Parameters TinyWeights() {
  Parameters model;
  AddTensor(model, {"fc.weight", Dtype::kF32, {3, 4}}, 1);
  AddTensor(model, {"fc.bias", Dtype::kF32, {3}}, 2);
  return model;
}

TEST(TransferLearning, BeginsWithTheValuesOfTheFile) {
  const Parameters pretrained = TinyWeights();
  RunningServer server;
  JobOperator oper(server);

  oper.Create({.id = "transfer", .model = FileOf(pretrained)});

  const Parameters initial = oper.Download("transfer", 0);
  EXPECT_EQ(ValuesOf(initial, "fc.weight"), ValuesOf(pretrained, "fc.weight"));
  EXPECT_EQ(ValuesOf(initial, "fc.bias"), ValuesOf(pretrained, "fc.bias"));
}

TEST(TransferLearning, RefusesAFileThatIsNotThePlansAndNamesWhatDiffers) {
  RunningServer server;
  JobOperator oper(server);
  const auto refusal = [&](const Parameters& model) {
    return oper.TryCreate({.id = "transfer", .model = FileOf(model)}).status();
  };
  Parameters renamed, reshaped, whole, widened;
  AddTensor(renamed, {"fc.weight", Dtype::kF32, {3, 4}}, 1);
  AddTensor(renamed, {"fc.offset", Dtype::kF32, {3}}, 2);
  AddTensor(reshaped, {"fc.weight", Dtype::kF32, {4, 3}}, 1);
  AddTensor(reshaped, {"fc.bias", Dtype::kF32, {3}}, 2);
  AddTensor(whole, {"fc.weight", Dtype::kF32, {3, 4}}, 1);
  AddTensor(whole, {"fc.bias", Dtype::kI64, {3}}, 2);
  widened = TinyWeights();
  AddTensor(widened, {"fc.extra", Dtype::kF32, {1}}, 3);

  EXPECT_THAT(refusal(renamed),
              StatusIs(StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("fc.bias F32 [3]"), HasSubstr("plan.toml"))));
  EXPECT_THAT(refusal(reshaped),
              StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("fc.weight F32 [4, 3]"),
                                                           HasSubstr("fc.weight F32 [3, 4]"))));
  EXPECT_THAT(refusal(whole),
              StatusIs(StatusCode::kInvalidArgument,
                       AllOf(HasSubstr("fc.bias I64 [3]"), HasSubstr("fc.bias F32 [3]"))));
  EXPECT_THAT(refusal(widened),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("fc.extra F32 [1]")));
  EXPECT_THAT(Must(oper.peer().Call(&v1::Admin::Stub::ListJobs, v1::ListJobsRequest())).jobs(),
              ::testing::IsEmpty());
}

TEST(TransferLearning, NamesEveryTensorThatDiffers) {
  RunningServer server;
  JobOperator oper(server);
  Parameters model;
  AddTensor(model, {"fc.weight", Dtype::kF32, {4, 3}}, 1);
  AddTensor(model, {"fc.offset", Dtype::kF32, {3}}, 2);

  EXPECT_THAT(
      oper.TryCreate({.id = "transfer", .model = FileOf(model)}),
      StatusIs(StatusCode::kInvalidArgument,
               AllOf(HasSubstr("fc.weight"), HasSubstr("fc.bias"), HasSubstr("fc.offset"))));
}

TEST(TransferLearning, RefusesAFileThatIsCutOff) {
  RunningServer server;
  JobOperator oper(server);
  std::string file = FileOf(TinyWeights());
  file.resize(file.size() - 4);

  EXPECT_THAT(oper.TryCreate({.id = "transfer", .model = file}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("the initial model")));
}

// --- the cache ---

TEST(ModelFiles, ChunksThatDidNotChangeTravelOnce) {
  constexpr std::int64_t kFrozenBytes = 2 << 20;
  constexpr std::int64_t kTrainedBytes = 3 << 19;
  Parameters model;
  AddTensor(model, {"embedding", Dtype::kF32, {kFrozenBytes / 4}}, 1);
  AddTensor(model, {"layer", Dtype::kF32, {kTrainedBytes / 4}}, 2);
  const std::string file = FileOf(model);
  RunningServer server;
  JobOperator oper(server);
  oper.Create({.id = "cached",
               .rounds = 2,
               .training = "",
               .in_model = "frozen = [\"embedding\"]",
               .plan = "",
               .model = file});
  SdkDevices devices(server);
  devices.Add(TestPki::Shared().Client("thrifty"), "cached",
              TrainBy([](const Parameters& global, TrainContext&) {
                TrainResult result;
                result.parameters = global.Clone();
                for (float& value : result.parameters.values(1)) value += 0.25F;
                result.scalars["examples"] = 1;
                return StatusOr<TrainResult>(std::move(result));
              }));

  ASSERT_TRUE(devices.AwaitEnds());

  const auto size = static_cast<double>(file.size());
  EXPECT_THAT(oper.Round("cached", 1).round().metrics().at("bytes_down"), Gt(size));
  EXPECT_THAT(oper.Round("cached", 2).round().metrics().at("bytes_down"),
              AllOf(Gt(double{kTrainedBytes}), Lt(size - double{kFrozenBytes} + (1 << 20))));
  std::vector<float> trained = ValuesOf(model, "layer");
  for (int round = 0; round < 2; ++round) {
    for (float& value : trained) {
      const float delta = (value + 0.25F) - value;
      value = static_cast<float>(double{value} + double{delta});
    }
  }
  EXPECT_EQ(ValuesOf(oper.Download("cached", 2), "layer"), trained);
}

}  // namespace
}  // namespace fed::testing
