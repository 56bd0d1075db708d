// Clients that vanish and clients that are slow.
#include "examples/sim_clients/faults.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::examples {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr std::int64_t kSteps = 10;

// What a trainer was told, and how far it came.
struct Seen {
  std::uint64_t seed = 0;
  std::string state_dir;
  TrainConfig config;
  std::size_t groups = 0;
  std::int64_t steps = 0;
};

// Asks after each of ten steps whether to go on, as the built-in one does.
class TenSteps final : public Trainer {
 public:
  explicit TenSteps(Seen& seen) : seen_(seen) {}

  StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig& config,
                              TrainContext& context) override {
    seen_ = {context.seed, context.state_dir, config, context.groups.size(), 0};
    while (seen_.steps < kSteps) {
      ++seen_.steps;
      if (!context.keep_going({seen_.steps, kSteps, 0.5})) {
        return Status(StatusCode::kCancelled, "told to stop");
      }
    }
    TrainResult result;
    result.parameters = global.Clone();
    result.scalars = {{"examples", 600}};
    return result;
  }

  StatusOr<std::map<std::string, double>> Evaluate(const Parameters&, const TrainConfig&,
                                                   TrainContext&) override {
    return std::map<std::string, double>{{"accuracy", 0.5}};
  }

 private:
  Seen& seen_;
};

class FaultsTest : public ::testing::Test {
 protected:
  std::unique_ptr<Trainer> Faulty(const FaultSpec& spec, std::uint64_t client) {
    return WithFaults(std::make_unique<TenSteps>(seen_), spec, client);
  }

  StatusOr<TrainResult> Train(Trainer& trainer) { return trainer.Train(global_, {}, context_); }

  // Whether each of many trainings of this client is broken off.
  std::vector<bool> Vanishing(const FaultSpec& spec, std::uint64_t client, int trainings) {
    const auto trainer = Faulty(spec, client);
    std::vector<bool> vanished;
    for (int i = 0; i < trainings; ++i) vanished.push_back(!Train(*trainer).ok());
    return vanished;
  }

  Seen seen_;
  Parameters global_;
  TrainContext context_;
};

TEST_F(FaultsTest, AClientThatVanishesStopsInTheMiddle) {
  FaultSpec spec;
  spec.drop = 1;
  EXPECT_THAT(Train(*Faulty(spec, 3)), StatusIs(StatusCode::kCancelled));
  EXPECT_EQ(seen_.steps, kSteps / 2);
}

TEST_F(FaultsTest, WithoutFaultsEverythingPassesThrough) {
  const auto trainer = Faulty(FaultSpec(), 3);
  ASSERT_OK(global_.Add({"w", Dtype::kF32, {2}}));
  context_.seed = 7;
  context_.state_dir = "state";
  context_.groups["control"] = global_.Clone();
  std::vector<std::int64_t> asked;
  context_.keep_going = [&](const TrainProgress& progress) {
    asked.push_back(progress.step);
    return true;
  };

  const StatusOr<TrainResult> result =
      trainer->Train(global_, {{"epochs", Value(std::int64_t{2})}}, context_);

  ASSERT_OK(result);
  EXPECT_EQ(result->parameters.size(), 1u);
  EXPECT_THAT(result->scalars, UnorderedElementsAre(Pair("examples", 600)));
  EXPECT_EQ(seen_.seed, 7u);
  EXPECT_EQ(seen_.state_dir, "state");
  EXPECT_EQ(seen_.groups, 1u);
  EXPECT_EQ(seen_.config.at("epochs"), Value(std::int64_t{2}));
  EXPECT_THAT(asked, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

TEST_F(FaultsTest, TheCallerCanStillStopATraining) {
  context_.keep_going = [](const TrainProgress& progress) { return progress.step < 3; };
  EXPECT_THAT(Train(*Faulty(FaultSpec(), 3)), StatusIs(StatusCode::kCancelled));
  EXPECT_EQ(seen_.steps, 3);
}

TEST_F(FaultsTest, LeavesTheCallersContextAsItWas) {
  int asked = 0;
  context_.groups["control"] = Parameters();
  context_.keep_going = [&](const TrainProgress&) { return ++asked > 0; };
  FaultSpec spec;
  spec.drop = 1;
  EXPECT_FALSE(Train(*Faulty(spec, 3)).ok());
  asked = 0;
  EXPECT_TRUE(context_.keep_going({kSteps, kSteps, 0})) << "not the one that vanishes";
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(context_.groups.size(), 1u);
}

TEST_F(FaultsTest, EvaluatesWhateverTheFaults) {
  FaultSpec spec;
  spec.drop = 1;
  const auto scalars = Faulty(spec, 3)->Evaluate(global_, {}, context_);
  ASSERT_OK(scalars);
  EXPECT_THAT(*scalars, UnorderedElementsAre(Pair("accuracy", 0.5)));
}

TEST_F(FaultsTest, VanishesAsOftenAsItIsTold) {
  FaultSpec spec;
  spec.drop = 0.3;
  int vanished = 0;
  for (const bool one : Vanishing(spec, 1, 4'000)) vanished += one ? 1 : 0;
  EXPECT_NEAR(vanished / 4'000.0, 0.3, 0.03);
}

TEST_F(FaultsTest, EqualSeedAndClientVanishAlike) {
  FaultSpec spec;
  spec.drop = 0.5;
  spec.seed = 9;
  const std::vector<bool> vanishing = Vanishing(spec, 1, 64);
  EXPECT_EQ(Vanishing(spec, 1, 64), vanishing);
  EXPECT_NE(Vanishing(spec, 2, 64), vanishing);
  spec.seed = 10;
  EXPECT_NE(Vanishing(spec, 1, 64), vanishing);
}

TEST_F(FaultsTest, ASlowClientTrainsAllTheSame) {
  FaultSpec spec;
  spec.slow_share = 1;
  spec.slow_batch = absl::ZeroDuration();
  EXPECT_OK(Train(*Faulty(spec, 3)));
  EXPECT_EQ(seen_.steps, kSteps);
}

TEST(IsSlowTest, AsManyAreSlowAsTheShareSays) {
  FaultSpec spec;
  const auto slow = [&](double share) {
    spec.slow_share = share;
    int count = 0;
    for (std::uint64_t client = 0; client < 10'000; ++client) count += IsSlow(spec, client) ? 1 : 0;
    return count;
  };
  EXPECT_EQ(slow(0), 0);
  EXPECT_NEAR(slow(0.2), 2'000, 200);
  EXPECT_EQ(slow(1), 10'000);
}

TEST(IsSlowTest, WhoIsSlowDependsOnTheSeed) {
  FaultSpec spec;
  spec.slow_share = 0.5;
  std::vector<bool> first, again, other;
  for (std::uint64_t client = 0; client < 64; ++client) first.push_back(IsSlow(spec, client));
  for (std::uint64_t client = 0; client < 64; ++client) again.push_back(IsSlow(spec, client));
  spec.seed = 1;
  for (std::uint64_t client = 0; client < 64; ++client) other.push_back(IsSlow(spec, client));
  EXPECT_EQ(again, first);
  EXPECT_NE(other, first);
}

}  // namespace
}  // namespace fed::examples
