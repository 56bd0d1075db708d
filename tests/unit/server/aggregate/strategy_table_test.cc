// The tables agree with one another, and optimizers step the right way.
#include "server/aggregate/strategy_table.h"

#include <cmath>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(StrategyTableTest, EveryStrategyIsMadeOfPartsThatExist) {
  ASSERT_FALSE(Strategies().empty());
  for (const Strategy& strategy : Strategies()) {
    ASSERT_OK_AND_ASSIGN(const Composition parts, Compose(strategy.name, {}));
    EXPECT_EQ(parts.aggregator, strategy.aggregator);
    EXPECT_THAT(FindAggregator(parts.aggregator), IsOk()) << strategy.name;
    EXPECT_TRUE(MakeOptimizer(parts).ok()) << strategy.name;
  }
}

TEST(StrategyTableTest, FedAvgIsTheWeightedMeanAndOneStep) {
  ASSERT_OK_AND_ASSIGN(const Strategy* fedavg, FindStrategy("fedavg"));
  EXPECT_EQ(fedavg->selection, "uniform");
  EXPECT_EQ(fedavg->local_update_rule, "sgd");
  EXPECT_EQ(fedavg->aggregator, "weighted_mean");
  EXPECT_EQ(fedavg->optimizer, "sgd");
}

TEST(StrategyTableTest, WhatIsAskedForComesBeforeTheStrategysOwn) {
  ASSERT_OK_AND_ASSIGN(const Composition parts, Compose("fedavg", {"", "sgd", 0.5}));
  EXPECT_EQ(parts.aggregator, "weighted_mean");
  EXPECT_EQ(parts.server_learning_rate, 0.5);
}

TEST(StrategyTableTest, RefusesUnknownNamesAndListsTheKnown) {
  const auto unknown = [](const char* message) {
    return StatusIs(StatusCode::kInvalidArgument, HasSubstr(message));
  };
  EXPECT_THAT(FindStrategy("fedavgg"), unknown("unknown strategy 'fedavgg'; there are: fedavg"));
  EXPECT_THAT(Compose("x", {}).status(), unknown("unknown strategy 'x'"));
  EXPECT_THAT(Compose("fedavg", {"mode", "", 1}).status(),
              unknown("unknown aggregator 'mode'; there are: weighted_mean"));
  EXPECT_THAT(Compose("fedavg", {"", "newton", 1}).status(),
              unknown("unknown optimizer 'newton'; there are: sgd"));
}

std::vector<float> Stepped(double learning_rate, std::vector<float> parameters,
                           const std::vector<float>& aggregate) {
  const auto optimizer = MakeOptimizer({"", "sgd", learning_rate});
  EXPECT_EQ(optimizer.value()->state_tensors(), 0);
  optimizer.value()->Step(aggregate, absl::MakeSpan(parameters), {});
  return parameters;
}

TEST(ServerSgdTest, GoesWhereTheDevicesWent) {
  EXPECT_THAT(Stepped(1.0, {1, 2}, {0.5f, -3}), ElementsAre(1.5f, -1.0f));
  EXPECT_THAT(Stepped(0.5, {1, 2}, {0.5f, -3}), ElementsAre(1.25f, 0.5f));
}

TEST(ServerSgdTest, RoundsOnce) {
  // 2^-24 is half a unit in the last place of 1: alone it is lost, half as much again is not.
  EXPECT_THAT(Stepped(1.5, {1}, {std::ldexp(1.0f, -24)}), ElementsAre(1 + std::ldexp(1.0f, -23)));
  EXPECT_THAT(Stepped(1.0, {1}, {std::ldexp(1.0f, -24)}), ElementsAre(1.0f));
}

}  // namespace
}  // namespace fed::server
