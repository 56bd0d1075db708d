// The built-in trainer: against values by hand, twice the same, stopped, and given bad data.
#include "fed/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/unit/client_sdk/compute/small_model.h"

namespace fed::client {
namespace {

using ::testing::Eq;
using ::testing::HasSubstr;

std::int64_t Whole(std::int64_t value) { return value; }

class LineTest : public ::testing::Test {
 protected:
  // Two examples of y = 2 x: mse's gradients at (w, b) are by hand
  //   dw = mean of 2 (w x + b - 2 x) x,  db = mean of 2 (w x + b - 2 x).
  const std::vector<float> xs_ = {1, 3}, ys_ = {2, 6};
  const std::unique_ptr<Dataset> data_ = ValueOf(NewMemoryDataset(xs_, {1}, ys_));
  const std::unique_ptr<Trainer> trainer_ = ValueOf(NewNativeTrainer(LinePlan(), *data_));
  TrainContext context_;

  struct Line {
    double weight = 0, bias = 0;
  };
  Line Trained(const TrainConfig& config) {
    const StatusOr<TrainResult> result = trainer_->Train(LineModel(0, 1), config, context_);
    EXPECT_THAT(result, fed::testing::IsOk());
    if (!result.ok()) return {};
    loss_ = result->scalars.at("loss");
    return {result->parameters.values(0)[0], result->parameters.values(1)[0]};
  }
  // The same by hand, all examples in each step.
  Line ByHand(int steps, double rate, double momentum, double decay) const {
    Line line{0, 1}, velocity;
    for (int s = 0; s < steps; ++s) {
      Line gradient{decay * line.weight, decay * line.bias};
      for (std::size_t i = 0; i < xs_.size(); ++i) {
        const double error = line.weight * xs_[i] + line.bias - ys_[i];
        gradient.weight += error * xs_[i];  // 2 / 2 examples
        gradient.bias += error;
      }
      velocity.weight = momentum * velocity.weight + gradient.weight;
      velocity.bias = momentum * velocity.bias + gradient.bias;
      line.weight -= rate * velocity.weight;
      line.bias -= rate * velocity.bias;
    }
    return line;
  }
  double loss_ = 0;
};

TEST_F(LineTest, TakesOneStepOverAllExamplesByDefault) {
  // errors -1 and -5: dw = -1 - 15 = -16, db = -6; loss (1 + 25) / 2
  const Line line = Trained({{"learning_rate", 0.125}});
  EXPECT_EQ(line.weight, 2);
  EXPECT_EQ(line.bias, 1.75);
  EXPECT_EQ(loss_, 13);
}

TEST_F(LineTest, MovesWithMomentumAndDecayAsByHand) {
  for (const double momentum : {0.0, 0.9}) {
    for (const double decay : {0.0, 0.1}) {
      const Line found = Trained({{"learning_rate", 0.01},
                                  {"momentum", momentum},
                                  {"weight_decay", decay},
                                  {"steps", Whole(5)}});
      const Line expected = ByHand(5, 0.01, momentum, decay);
      EXPECT_NEAR(found.weight, expected.weight, 1e-5) << momentum << " " << decay;
      EXPECT_NEAR(found.bias, expected.bias, 1e-5) << momentum << " " << decay;
    }
  }
}

TEST_F(LineTest, FindsTheLine) {
  const Line line = Trained({{"learning_rate", 0.05}, {"epochs", Whole(500)}});
  EXPECT_NEAR(line.weight, 2, 1e-3);
  EXPECT_NEAR(line.bias, 0, 1e-3);
}

TEST_F(LineTest, EvaluatesWithoutAccuracy) {
  ASSERT_OK_AND_ASSIGN(const auto scalars, trainer_->Evaluate(LineModel(0, 1), {}, context_));
  EXPECT_EQ(scalars, (std::map<std::string, double>{{"examples", 2}, {"loss", 13}}));
}

TEST_F(LineTest, SaysThatTrainingDiverged) {
  EXPECT_THAT(
      trainer_->Train(LineModel(0, 1), {{"learning_rate", 1e6}, {"steps", Whole(100)}}, context_),
      fed::testing::StatusIs(StatusCode::kInvalidArgument,
                             HasSubstr("training diverged: the loss of step ")));
}

TEST_F(LineTest, SaysThatTheLastStepDiverged) {
  Parameters model = LineModel(1e18F, 0);
  const std::vector<float> xs = {1e18F}, ys = {0};
  const auto data = ValueOf(NewMemoryDataset(xs, {1}, ys));
  const auto trainer = ValueOf(NewNativeTrainer(LinePlan(), *data));
  EXPECT_THAT(trainer->Train(model, {{"learning_rate", 1.0}}, context_),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     HasSubstr("training diverged: line.weight")));
}

class TrainerTest : public ::testing::Test {
 protected:
  SmallData data_{25};
  const Parameters model_ = ValueOf(Initialize(SmallPlan(), 4));
  const std::unique_ptr<Trainer> trainer_ = ValueOf(NewNativeTrainer(SmallPlan(), *data_.dataset));
  TrainContext context_;
  const TrainConfig config_ = {
      {"learning_rate", 0.1}, {"momentum", 0.5}, {"batch_size", Whole(10)}, {"epochs", Whole(20)}};
};

TEST_F(TrainerTest, LearnsAndCountsWhatItDid) {
  ASSERT_OK_AND_ASSIGN(const TrainResult result, trainer_->Train(model_, config_, context_));

  EXPECT_EQ(result.scalars.at("examples"), 25);
  EXPECT_EQ(result.scalars.at("local_steps"), 60);  // 20 epochs of 10 + 10 + 5
  ASSERT_OK_AND_ASSIGN(const auto before, trainer_->Evaluate(model_, {}, context_));
  ASSERT_OK_AND_ASSIGN(const auto after, trainer_->Evaluate(result.parameters, {}, context_));
  EXPECT_LT(after.at("loss"), 0.2 * before.at("loss"));
  EXPECT_LT(result.scalars.at("loss"), before.at("loss"));
  EXPECT_GT(result.scalars.at("loss"), after.at("loss"));
  EXPECT_EQ(after.at("accuracy"), 1);
  EXPECT_EQ(after.at("examples"), 25);
}

TEST_F(TrainerTest, GivesTheSameBytesForTheSameSeed) {
  context_.seed = 9;
  ASSERT_OK_AND_ASSIGN(const TrainResult first, trainer_->Train(model_, config_, context_));
  ASSERT_OK_AND_ASSIGN(const TrainResult again, trainer_->Train(model_, config_, context_));
  const auto other = ValueOf(NewNativeTrainer(SmallPlan(), *data_.dataset));
  ASSERT_OK(other->Evaluate(model_, {}, context_));  // whatever it did before
  ASSERT_OK_AND_ASSIGN(const TrainResult elsewhere, other->Train(model_, config_, context_));
  context_.seed = 10;
  ASSERT_OK_AND_ASSIGN(const TrainResult another, trainer_->Train(model_, config_, context_));

  EXPECT_TRUE(SameBytes(first.parameters, again.parameters));
  EXPECT_TRUE(SameBytes(first.parameters, elsewhere.parameters));
  EXPECT_EQ(first.scalars, again.scalars);
  EXPECT_FALSE(SameBytes(first.parameters, another.parameters));
}

TEST_F(TrainerTest, StopsAfterTheStepsAsked) {
  ASSERT_OK_AND_ASSIGN(
      const TrainResult result,
      trainer_->Train(model_,
                      {{"learning_rate", 0.1}, {"batch_size", Whole(10)}, {"steps", Whole(4)}},
                      context_));
  EXPECT_EQ(result.scalars.at("local_steps"), 4);
}

TEST_F(TrainerTest, KeepsTensorsThatItDoesNotTrain) {
  Parameters model = model_.Clone();
  ASSERT_OK(model.Add({"counter", Dtype::kI64, {1}}));
  model.bytes(4)[0] = 42;
  ASSERT_OK_AND_ASSIGN(const TrainResult result, trainer_->Train(model, config_, context_));
  ASSERT_EQ(result.parameters.size(), 5U);
  EXPECT_EQ(result.parameters.info(4), model.info(4));
  EXPECT_EQ(result.parameters.bytes(4)[0], 42);
}

TEST_F(TrainerTest, AsksBeforeEachStepAndStopsWhenToldTo) {
  std::vector<std::int64_t> steps;
  context_.keep_going = [&](const TrainProgress& progress) {
    EXPECT_EQ(progress.steps, 60);
    EXPECT_EQ(progress.loss > 0, progress.step > 0);
    steps.push_back(progress.step);
    return progress.step < 2;
  };
  EXPECT_THAT(trainer_->Train(model_, config_, context_),
              fed::testing::StatusIs(StatusCode::kCancelled, Eq("stopped at step 2 of 60")));
  EXPECT_THAT(steps, ::testing::ElementsAre(0, 1, 2));
}

TEST_F(TrainerTest, StopsMeasuringWhenToldTo) {
  context_.keep_going = [](const TrainProgress&) { return false; };
  EXPECT_THAT(trainer_->Evaluate(model_, {}, context_),
              fed::testing::StatusIs(StatusCode::kCancelled, Eq("stopped at step 0 of 1")));
}

TEST_F(TrainerTest, NamesTheExampleWhoseLabelIsOutOfRange) {
  for (const float label : {3.0F, -1.0F, 0.5F, std::nanf("")}) {
    data_.labels[17] = label;
    EXPECT_THAT(trainer_->Train(model_, config_, context_),
                fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                       ::testing::AllOf(HasSubstr("example 17 has label "),
                                                        HasSubstr("the model has 3 classes, 0 to "
                                                                  "2"))))
        << label;
    EXPECT_THAT(trainer_->Evaluate(model_, config_, context_),
                fed::testing::StatusIs(StatusCode::kInvalidArgument, HasSubstr("example 17")));
  }
}

TEST_F(TrainerTest, RefusesUnknownHyperParameters) {
  EXPECT_THAT(
      trainer_->Train(model_, {{"learning_rate", 0.1}, {"epoch", Whole(1)}}, context_),
      fed::testing::StatusIs(StatusCode::kInvalidArgument, HasSubstr("(did you mean 'epochs'?)")));
}

TEST_F(TrainerTest, RefusesMoreStepsThanAreAllowed) {
  const SmallData many(1001);
  const auto trainer = ValueOf(NewNativeTrainer(SmallPlan(), *many.dataset));
  EXPECT_THAT(
      trainer->Train(model_,
                     {{"learning_rate", 0.1}, {"batch_size", Whole(1)}, {"epochs", Whole(100'000)}},
                     context_),
      fed::testing::StatusIs(StatusCode::kInvalidArgument,
                             Eq("100000 epochs of 1001 batches are more than 100000000 steps")));
}

TEST_F(TrainerTest, RefusesAModelOfAnotherPlan) {
  EXPECT_THAT(trainer_->Train(LineModel(0, 0), config_, context_),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     HasSubstr("the model lacks hidden.weight F32 [8, 20]")));
}

TEST_F(TrainerTest, RefusesToTrainOnNothing) {
  const auto nothing = ValueOf(NewSubset(*data_.dataset, {}));
  const auto trainer = ValueOf(NewNativeTrainer(SmallPlan(), *nothing));
  const auto refusal =
      fed::testing::StatusIs(StatusCode::kFailedPrecondition, Eq("the data set has no examples"));
  EXPECT_THAT(trainer->Train(model_, config_, context_), refusal);
  EXPECT_THAT(trainer->Evaluate(model_, config_, context_), refusal);
}

TEST_F(TrainerTest, MeasuresMoreExamplesThanItTakesAtOnce) {
  SmallData many(1203);
  const auto trainer = ValueOf(NewNativeTrainer(SmallPlan(), *many.dataset));
  ASSERT_OK_AND_ASSIGN(const auto all, trainer->Evaluate(model_, {}, context_));

  double loss = 0, correct = 0;  // one by one
  for (std::int64_t i = 0; i < 1203; ++i) {
    const auto one = ValueOf(NewSubset(*many.dataset, {i}));
    const auto of_one = ValueOf(NewNativeTrainer(SmallPlan(), *one));
    ASSERT_OK_AND_ASSIGN(const auto scalars, of_one->Evaluate(model_, {}, context_));
    loss += scalars.at("loss");
    correct += scalars.at("accuracy");
  }
  EXPECT_EQ(all.at("examples"), 1203);
  EXPECT_NEAR(all.at("loss"), loss / 1203, 1e-6);
  EXPECT_NEAR(all.at("accuracy"), correct / 1203, 1e-12);
}

TEST(NewNativeTrainer, RefusesDataOfAnotherShape) {
  const std::vector<float> features(6), labels(2);
  const auto data = ValueOf(NewMemoryDataset(features, {3}, labels));
  EXPECT_THAT(NewNativeTrainer(SmallPlan(), *data),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     Eq("the data's examples are [3]; the plan 'small' takes [4, "
                                        "5]")));
}

TEST(NewNativeTrainer, RefusesTargetsOfAnotherSize) {
  const std::vector<float> features(20), targets(2);
  const auto data = ValueOf(NewMemoryDataset(features, {20}, targets, 2));
  EXPECT_THAT(NewNativeTrainer(SmallPlan(), *data),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     HasSubstr("the data has 2 target values for each example")));
}

TEST(NewNativeTrainer, SaysThatThereIsNoCudaPlugIn) {
  const std::vector<float> features(20), labels(1);
  const auto data = ValueOf(NewMemoryDataset(features, {20}, labels));
  EXPECT_THAT(
      NewNativeTrainer(SmallPlan(), *data, {Device::Kind::kCuda, 1}),
      fed::testing::StatusIs(StatusCode::kUnavailable, HasSubstr("CUDA device 1 is asked for")));
}

TEST(Trainer, TakesNoPartInEvaluationByDefault) {
  class Own : public Trainer {
    StatusOr<TrainResult> Train(const Parameters&, const TrainConfig&, TrainContext&) override {
      return Status(StatusCode::kInternal, "");
    }
  } own;
  TrainContext context;
  EXPECT_THAT(own.Evaluate(Parameters(), {}, context),
              fed::testing::StatusIs(StatusCode::kUnimplemented));
}

}  // namespace
}  // namespace fed::client
