// Hyper-parameters: defaults, ranges, and the words of a refusal.
#include "client_sdk/compute/hyper_parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "tests/testing/status_matchers.h"

namespace fed::client {
namespace {

using ::testing::Eq;

const std::int64_t kOne = 1;

TEST(HyperParameters, HaveDefaultsForAllButTheLearningRate) {
  ASSERT_OK_AND_ASSIGN(const HyperParameters read, ReadHyperParameters({{"learning_rate", 0.5}}));

  EXPECT_EQ(read.learning_rate, 0.5);
  EXPECT_EQ(read.epochs, 1);
  EXPECT_EQ(read.steps, 0);
  EXPECT_EQ(read.batch_size, 0);
  EXPECT_EQ(read.momentum, 0);
  EXPECT_EQ(read.weight_decay, 0);
}

TEST(HyperParameters, AreTakenFromTheConfig) {
  ASSERT_OK_AND_ASSIGN(const HyperParameters read,
                       ReadHyperParameters({{"learning_rate", kOne},
                                            {"steps", std::int64_t{7}},
                                            {"batch_size", std::int64_t{10}},
                                            {"momentum", 0.9},
                                            {"weight_decay", 1e-4}}));

  EXPECT_EQ(read.learning_rate, 1);  // a whole number is a number
  EXPECT_EQ(read.epochs, 0);
  EXPECT_EQ(read.steps, 7);
  EXPECT_EQ(read.batch_size, 10);
  EXPECT_EQ(read.momentum, 0.9);
  EXPECT_EQ(read.weight_decay, 1e-4);
}

struct Refused {
  TrainConfig config;
  std::string message;
};

TEST(HyperParameters, AreRefusedWithWhatWasExpected) {
  const double nan = std::nan(""), infinity = std::numeric_limits<double>::infinity();
  const Refused cases[] = {
      {{}, "hyper-parameter 'learning_rate' is missing: expected a number above 0, at most 1e6"},
      {{{"learning_rates", 0.1}},
       "hyper-parameter is unknown: 'learning_rates'; known: epochs, steps, batch_size, "
       "learning_rate, momentum, weight_decay (did you mean 'learning_rate'?)"},
      {{{"learning_rate", 0.0}},
       "hyper-parameter 'learning_rate' is 0: expected a number above 0, at most 1e6"},
      {{{"learning_rate", nan}},
       "hyper-parameter 'learning_rate' is nan: expected a number above 0, at most 1e6"},
      {{{"learning_rate", infinity}},
       "hyper-parameter 'learning_rate' is inf: expected a number above 0, at most 1e6"},
      {{{"learning_rate", std::string("fast")}},
       "hyper-parameter 'learning_rate' is 'fast': expected a number above 0, at most 1e6"},
      {{{"learning_rate", true}},
       "hyper-parameter 'learning_rate' is true: expected a number above 0, at most 1e6"},
      {{{"learning_rate", 0.1}, {"momentum", 1.0}},
       "hyper-parameter 'momentum' is 1: expected a number from 0, below 1"},
      {{{"learning_rate", 0.1}, {"weight_decay", -0.1}},
       "hyper-parameter 'weight_decay' is -0.1: expected a number from 0 to 1e6"},
      {{{"learning_rate", 0.1}, {"epochs", 2.0}},
       "hyper-parameter 'epochs' is 2: expected a whole number from 1 to 100000"},
      {{{"learning_rate", 0.1}, {"epochs", std::int64_t{0}}},
       "hyper-parameter 'epochs' is 0: expected a whole number from 1 to 100000"},
      {{{"learning_rate", 0.1}, {"steps", std::int64_t{100'000'001}}},
       "hyper-parameter 'steps' is 100000001: expected a whole number from 1 to 100000000"},
      {{{"learning_rate", 0.1}, {"batch_size", std::int64_t{-1}}},
       "hyper-parameter 'batch_size' is -1: expected a whole number from 0 to 16777216"},
      {{{"learning_rate", 0.1}, {"epochs", kOne}, {"steps", kOne}},
       "hyper-parameter 'epochs' and 'steps' exclude each other"},
  };
  for (const Refused& each : cases) {
    EXPECT_THAT(ReadHyperParameters(each.config),
                fed::testing::StatusIs(StatusCode::kInvalidArgument, Eq(each.message)));
  }
}

}  // namespace
}  // namespace fed::client
