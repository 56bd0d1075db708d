// How examples fall on clients: what holds of every split, and what is particular to each.
#include "examples/sim_clients/partition.h"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/testing/status_matchers.h"

namespace fed::examples {
namespace {

using ::fed::testing::StatusIs;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::Not;

using Parts = std::vector<std::vector<std::int64_t>>;

const char* const kKinds[] = {"iid", "sequential", "stratified", "shards", "dirichlet", "quantity"};
constexpr std::uint64_t kSeeds = 30;

// `each` examples of each label, mixed.
std::vector<std::int64_t> MixedLabels(std::int64_t classes, std::int64_t each) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < classes * each; ++i) labels.push_back(i % classes);
  RandomStream(1, RandomPurpose::kTest, 0).Shuffle(labels);
  return labels;
}

Parts Split(const std::vector<std::int64_t>& labels, const PartitionSpec& spec) {
  StatusOr<Parts> parts = Partition(labels, spec);
  EXPECT_TRUE(parts.ok()) << spec.kind << ": " << parts.status().message();
  return parts.ok() ? *std::move(parts) : Parts();
}

PartitionSpec Spec(const std::string& kind, int clients, std::uint64_t seed = 0) {
  PartitionSpec spec;
  spec.kind = kind;
  spec.clients = clients;
  spec.seed = seed;
  return spec;
}

std::vector<std::size_t> Sizes(const Parts& parts) {
  std::vector<std::size_t> sizes;
  for (const auto& part : parts) sizes.push_back(part.size());
  return sizes;
}

std::size_t Spread(const std::vector<std::size_t>& sizes) {
  const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
  return *most - *least;
}

std::map<std::int64_t, std::size_t> Counts(const std::vector<std::int64_t>& labels,
                                           const std::vector<std::int64_t>& part) {
  std::map<std::int64_t, std::size_t> counts;
  for (const std::int64_t example : part) ++counts[labels[static_cast<std::size_t>(example)]];
  return counts;
}

// The mean over clients of the share of their most frequent label: 1 / classes if even, 1 if each
// has one label only.
double Skew(const std::vector<std::int64_t>& labels, const Parts& parts) {
  double sum = 0;
  for (const auto& part : parts) {
    std::size_t most = 0;
    for (const auto& [label, count] : Counts(labels, part)) most = std::max(most, count);
    sum += static_cast<double>(most) / static_cast<double>(part.size());
  }
  return sum / static_cast<double>(parts.size());
}

TEST(PartitionTest, EveryExampleFallsOnOneClientAndNoClientIsEmpty) {
  struct Shape {
    std::int64_t classes, each;
    int clients;
  };
  for (const Shape& shape : {Shape{10, 60, 20}, {10, 7, 35}, {3, 11, 1}, {1, 40, 7}, {2, 3, 3}}) {
    const std::vector<std::int64_t> labels = MixedLabels(shape.classes, shape.each);
    std::vector<std::int64_t> all(labels.size());
    std::iota(all.begin(), all.end(), 0);
    for (const char* const kind : kKinds) {
      for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
        PartitionSpec spec = Spec(kind, shape.clients, seed);
        spec.alpha = seed % 3 == 0 ? 0.05 : 1;
        const Parts parts = Split(labels, spec);
        ASSERT_EQ(parts.size(), static_cast<std::size_t>(shape.clients));
        EXPECT_THAT(Sizes(parts), Each(Not(0))) << kind << ", seed " << seed;
        std::vector<std::int64_t> dealt;
        for (const auto& part : parts) dealt.insert(dealt.end(), part.begin(), part.end());
        std::sort(dealt.begin(), dealt.end());
        ASSERT_EQ(dealt, all) << kind << ", seed " << seed;
      }
    }
  }
}

TEST(PartitionTest, EqualSeedsGiveEqualPartsAndOthersOthers) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 60);
  for (const char* const kind : kKinds) {
    const Parts parts = Split(labels, Spec(kind, 10, 7));
    EXPECT_EQ(Split(labels, Spec(kind, 10, 7)), parts) << kind;
    if (std::string(kind) == "sequential") continue;  // draws nothing
    EXPECT_NE(Split(labels, Spec(kind, 10, 8)), parts) << kind;
  }
}

TEST(PartitionTest, EvenSplitsDifferByOneExampleAtMost) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 61);
  for (const char* const kind : {"iid", "sequential", "stratified"}) {
    EXPECT_LE(Spread(Sizes(Split(labels, Spec(kind, 7)))), 1u) << kind;
  }
}

TEST(PartitionTest, SequentialKeepsTheOrderOfTheFile) {
  EXPECT_THAT(Split({5, 5, 5, 5, 5, 5, 5}, Spec("sequential", 3)),
              ElementsAre(ElementsAre(0, 1, 2), ElementsAre(3, 4), ElementsAre(5, 6)));
}

TEST(PartitionTest, IidMixesTheExamples) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 600);
  EXPECT_LT(Skew(labels, Split(labels, Spec("iid", 10))), 0.14);
}

TEST(PartitionTest, StratifiedGivesEachClientEveryLabelInItsProportion) {
  std::vector<std::int64_t> labels = MixedLabels(3, 70);
  labels.insert(labels.end(), 350, 9);  // one label five times as frequent
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const auto& part : Split(labels, Spec("stratified", 10, seed))) {
      const auto counts = Counts(labels, part);
      for (const std::int64_t label : {0, 1, 2}) EXPECT_EQ(counts.at(label), 7u);
      EXPECT_EQ(counts.at(9), 35u);
    }
  }
  for (const auto& part : Split(labels, Spec("stratified", 8))) {
    for (const auto& [label, count] : Counts(labels, part)) {
      EXPECT_NEAR(static_cast<double>(count), label == 9 ? 350 / 8.0 : 70 / 8.0, 1);
    }
  }
}

TEST(PartitionTest, ShardsThatFitGiveAClientFewLabels) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 60);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    for (const int labels_per_client : {1, 2, 3}) {
      PartitionSpec spec = Spec("shards", 20, seed);
      spec.labels_per_client = labels_per_client;
      for (const auto& part : Split(labels, spec)) {
        EXPECT_EQ(part.size(), 30u);
        EXPECT_LE(Counts(labels, part).size(), static_cast<std::size_t>(labels_per_client));
      }
    }
  }
}

TEST(PartitionTest, AShardThatStraddlesTwoLabelsHasBoth) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 60);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    const Parts parts = Split(labels, Spec("shards", 7, seed));  // 14 shards of 42 or 43
    EXPECT_LE(Spread(Sizes(parts)), 2u) << "one for each shard";
    for (const auto& part : parts) EXPECT_LE(Counts(labels, part).size(), 4u);
  }
}

TEST(PartitionTest, ShardsAreDealtAtRandom) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 60);
  std::set<std::vector<std::int64_t>> first_clients;
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    first_clients.insert(Split(labels, Spec("shards", 20, seed))[0]);
  }
  EXPECT_GT(first_clients.size(), kSeeds / 2);
}

TEST(PartitionTest, DirichletIsMoreSkewedTheSmallerAlphaIs) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 600);
  const auto skew = [&](double alpha) {
    double sum = 0;
    for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
      PartitionSpec spec = Spec("dirichlet", 20, seed);
      spec.alpha = alpha;
      sum += Skew(labels, Split(labels, spec));
    }
    return sum / kSeeds;
  };
  const double even = skew(1'000), mild = skew(1), strong = skew(0.1), extreme = skew(0.01);
  EXPECT_LT(even, 0.15);
  EXPECT_GT(mild, even + 0.1);
  EXPECT_GT(strong, mild + 0.1);
  EXPECT_GT(extreme, strong + 0.05);
}

TEST(PartitionTest, DirichletGivesALabelToOneClientWhenEveryShareRoundsToZero) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 60);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    PartitionSpec spec = Spec("dirichlet", 5, seed);
    spec.alpha = 1e-7;
    std::map<std::int64_t, std::size_t> most;  // that one client has of a label
    for (const auto& part : Split(labels, spec)) {
      for (const auto& [label, count] : Counts(labels, part)) {
        most[label] = std::max(most[label], count);
      }
    }
    for (const auto& [label, count] : most) {
      EXPECT_GE(count, 56u) << "all but those that keep the other clients from being empty";
    }
  }
}

TEST(PartitionTest, QuantityDrawsSizesAndLeavesTheLabelsMixed) {
  const std::vector<std::int64_t> labels = MixedLabels(10, 600);
  for (std::uint64_t seed = 0; seed < kSeeds; ++seed) {
    PartitionSpec spec = Spec("quantity", 10, seed);
    spec.alpha = 1;
    const Parts parts = Split(labels, spec);
    EXPECT_GT(Spread(Sizes(parts)), 300u) << "of 600 on average";
    for (const auto& part : parts) {
      if (part.size() < 300) continue;
      for (const auto& [label, count] : Counts(labels, part)) {
        const double share = static_cast<double>(count) / static_cast<double>(part.size());
        EXPECT_NEAR(share, 0.1, 0.07) << "label " << label << ", seed " << seed;
      }
    }
    spec.alpha = 1e6;
    EXPECT_LT(Spread(Sizes(Split(labels, spec))), 20u) << "almost even";
  }
}

TEST(PartitionTest, SaysWhatCanNotBe) {
  const std::vector<std::int64_t> labels = MixedLabels(2, 5);
  const auto refused = [&](const PartitionSpec& spec, const std::string& message) {
    EXPECT_THAT(Partition(labels, spec), StatusIs(StatusCode::kInvalidArgument, message));
  };
  refused(Spec("idd", 2),
          "unknown partition 'idd'; known are iid, sequential, stratified, shards, dirichlet, "
          "quantity");
  refused(Spec("iid", 0), "a partition needs at least one client");
  refused(Spec("iid", -1), "a partition needs at least one client");
  refused(Spec("iid", 11), "10 examples can't be split into 11 parts");
  refused(Spec("shards", 6), "10 examples can't be split into 12 parts");
  PartitionSpec spec = Spec("shards", 2);
  spec.labels_per_client = 0;
  refused(spec, "labels per client must be at least 1");
  for (const double alpha : {0.0, -1.0, 1e7, std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    spec = Spec("dirichlet", 2);
    spec.alpha = alpha;
    refused(spec, "alpha must be above 0 and at most 1e+06");
  }
}

TEST(PartitionTest, AsManyClientsAsExamplesGetOneEach) {
  const std::vector<std::int64_t> labels = MixedLabels(2, 5);
  for (const char* const kind : {"iid", "sequential", "stratified", "dirichlet", "quantity"}) {
    EXPECT_THAT(Sizes(Split(labels, Spec(kind, 10))), Each(1)) << kind;
  }
}

}  // namespace
}  // namespace fed::examples
