// A network against the models that it is given.
#include "client_sdk/compute/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_sdk/compute/cpu_backend.h"
#include "client_sdk/compute/reference_backend.h"
#include "tests/unit/client_sdk/compute/small_model.h"

namespace fed::client {
namespace {

using ::testing::Eq;
using ::testing::FloatNear;
using ::testing::Pointwise;

class NetworkTest : public ::testing::Test {
 protected:
  std::unique_ptr<Backend> backend_ = NewCpuBackend();
  std::unique_ptr<Network> network_ = ValueOf(Network::New(SmallPlan(), *backend_));

  // Models of other tensors than the plan's.
  static Parameters Model(const std::vector<TensorInfo>& tensors) {
    Parameters model;
    for (const TensorInfo& tensor : tensors) EXPECT_THAT(model.Add(tensor), fed::testing::IsOk());
    return model;
  }
  static std::vector<TensorInfo> Tensors() { return ValueOf(TensorsOf(SmallPlan())); }
};

TEST_F(NetworkTest, StoresWhatItLoaded) {
  const Parameters model = ValueOf(Initialize(SmallPlan(), 3));
  ASSERT_OK(network_->Load(model));

  Parameters stored = Model(Tensors());
  network_->Store(stored);

  EXPECT_TRUE(SameBytes(stored, model));
}

TEST_F(NetworkTest, TakesTensorsInAnyOrderAndLeavesThoseThatAreNotTrained) {
  std::vector<TensorInfo> tensors = Tensors();
  std::swap(tensors[0], tensors[3]);
  tensors.push_back({"steps", Dtype::kI64, {}});
  EXPECT_OK(network_->Load(Model(tensors)));
}

TEST_F(NetworkTest, TakesHalfPrecisionTensors) {
  std::vector<TensorInfo> tensors = Tensors();
  tensors[0].dtype = Dtype::kBF16;
  EXPECT_OK(network_->Load(Model(tensors)));
}

TEST_F(NetworkTest, NamesTheTensorThatTheModelLacks) {
  std::vector<TensorInfo> tensors = Tensors();
  tensors.pop_back();
  EXPECT_THAT(network_->Load(Model(tensors)),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     Eq("the model lacks out.bias F32 [3] of the plan 'small'")));
}

TEST_F(NetworkTest, NamesBothShapes) {
  std::vector<TensorInfo> tensors = Tensors();
  tensors[0].shape = {20, 8};
  EXPECT_THAT(network_->Load(Model(tensors)),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     Eq("the model has hidden.weight F32 [20, 8]; the plan 'small' "
                                        "has hidden.weight F32 [8, 20]")));
}

TEST_F(NetworkTest, NamesBothDtypes) {
  std::vector<TensorInfo> tensors = Tensors();
  tensors[1].dtype = Dtype::kI32;
  EXPECT_THAT(network_->Load(Model(tensors)),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     Eq("the model has hidden.bias I32 [8]; the plan 'small' has "
                                        "hidden.bias F32 [8]")));
}

TEST_F(NetworkTest, NamesTheTensorThatThePlanLacks) {
  std::vector<TensorInfo> tensors = Tensors();
  tensors.push_back({"more.weight", Dtype::kF32, {2}});
  EXPECT_THAT(network_->Load(Model(tensors)),
              fed::testing::StatusIs(
                  StatusCode::kInvalidArgument,
                  Eq("the model has more.weight F32 [2], which the plan 'small' has not")));
}

TEST_F(NetworkTest, SaysWhichLayerThisBuildLacks) {
  ModelPlan plan = SmallPlan();
  const LayerPlan layer{"attention", "a1", {}, 0};
  const LayerShape shape{{8}, {}};
  EXPECT_THAT(
      NewLayer({layer, plan.input, shape}),
      fed::testing::StatusIs(StatusCode::kUnimplemented,
                             Eq("layer 'a1': this build can not compute type 'attention'")));
  EXPECT_THAT(NewLoss("hinge", 3),
              fed::testing::StatusIs(StatusCode::kUnimplemented,
                                     Eq("this build can not compute loss 'hinge'")));
}

TEST_F(NetworkTest, ReservesLessWithoutForgettingTheGradients) {
  ASSERT_OK(network_->Reserve(8, Network::Use::kTrain));
  ASSERT_OK(network_->Reserve(2, Network::Use::kPredict));
  SmallData data(8);
  network_->Forward(data.features);
  EXPECT_GT(network_->Backward(data.labels), 0);
}

TEST_F(NetworkTest, SaysThatItHasNoMemoryForSuchABatch) {
  EXPECT_THAT(network_->Reserve(std::int64_t{1} << 44, Network::Use::kTrain),
              fed::testing::StatusIs(StatusCode::kResourceExhausted));
  EXPECT_OK(network_->Reserve(2, Network::Use::kTrain));
}

// One step's outputs, loss and gradients on each CPU level as on the reference.
TEST(Network, GivesTheSameOnEveryBackend) {
  SmallData data(7);
  const Parameters model = ValueOf(Initialize(SmallPlan(), 3));
  const auto run = [&](Backend& backend) {
    const auto network = ValueOf(Network::New(SmallPlan(), backend));
    EXPECT_THAT(network->Load(model), fed::testing::IsOk());
    EXPECT_THAT(network->Reserve(7, Network::Use::kTrain), fed::testing::IsOk());
    const Slice outputs = network->Forward(data.features);
    std::vector<float> all = {static_cast<float>(network->Backward(data.labels))};
    for (const Slice& slice : {outputs, network->gradients(), network->Predictions()}) {
      const std::size_t at = all.size();
      all.resize(at + static_cast<std::size_t>(slice.count));
      backend.Read(slice, absl::MakeSpan(all).subspan(at));
    }
    return all;
  };
  ReferenceBackend reference;
  const std::vector<float> expected = run(reference);

  for (const CpuKernels* kernels : UsableCpuKernels()) {
    SCOPED_TRACE(kernels->level);
    EXPECT_THAT(run(*NewCpuBackend(*kernels)), Pointwise(FloatNear(1e-5F), expected));
  }
}

}  // namespace
}  // namespace fed::client
