// Draws samples; solves least squares in closed form.
#include "examples/linear_regression/samples.h"

#include <Eigen/Dense>
#include <algorithm>
#include <numeric>

#include "common/base/random.h"

namespace fed::examples {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr double kNoise = 0.1;
constexpr std::uint64_t kWeights = 1'000;  // streams of what the samples are made from
constexpr std::uint64_t kDirections = 1'001;

std::vector<double> DrawNormals(std::uint64_t stream, int count) {
  RandomStream random(kSeed, RandomPurpose::kData, stream);
  std::vector<double> values(static_cast<std::size_t>(count));
  for (double& value : values) value = random.Normal();
  return values;
}

std::vector<float> DrawFeatures(RandomStream& random, int count) {
  std::vector<float> features(static_cast<std::size_t>(count) * kFeatures);
  for (float& value : features) value = static_cast<float>(random.Normal());
  return features;
}

double Along(const float* x, const double* direction) {
  return std::inner_product(x, x + kFeatures, direction, 0.0);
}

}  // namespace

Samples LinearSamples(int count, std::uint64_t stream) {
  const std::vector<double> weights = DrawNormals(kWeights, kFeatures + 1);
  RandomStream random(kSeed, RandomPurpose::kData, stream);
  Samples samples{DrawFeatures(random, count), {}};
  for (int i = 0; i < count; ++i) {
    const double y =
        Along(&samples.features[static_cast<std::size_t>(i) * kFeatures], weights.data()) +
        weights.back() + kNoise * random.Normal();
    samples.targets.push_back(static_cast<float>(y));
  }
  return samples;
}

Samples ClassSamples(int count, std::uint64_t stream) {
  const std::vector<double> directions = DrawNormals(kDirections, kClasses * kFeatures);
  RandomStream random(kSeed, RandomPurpose::kData, stream);
  Samples samples{DrawFeatures(random, count), {}};
  for (int i = 0; i < count; ++i) {
    const float* const x = &samples.features[static_cast<std::size_t>(i) * kFeatures];
    int best = 0;
    for (int c = 1; c < kClasses; ++c) {
      if (Along(x, &directions[static_cast<std::size_t>(c) * kFeatures]) >
          Along(x, &directions[static_cast<std::size_t>(best) * kFeatures])) {
        best = c;
      }
    }
    samples.targets.push_back(static_cast<float>(best));
  }
  return samples;
}

std::vector<std::vector<std::int64_t>> SplitAmong(int nodes) {
  std::vector<std::int64_t> order(kSamples);
  std::iota(order.begin(), order.end(), 0);
  RandomStream random(kSeed, RandomPurpose::kPartition, 0);
  random.Shuffle(order);
  std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(nodes));
  for (std::size_t i = 0; i < order.size(); ++i) parts[i % parts.size()].push_back(order[i]);
  return parts;
}

std::vector<double> LeastSquares(const Samples& samples) {
  const auto rows = static_cast<Eigen::Index>(samples.targets.size());
  Eigen::MatrixXd x(rows, kFeatures + 1);
  Eigen::VectorXd y(rows);
  for (Eigen::Index i = 0; i < rows; ++i) {
    for (Eigen::Index f = 0; f < kFeatures; ++f) {
      x(i, f) = samples.features[static_cast<std::size_t>(i * kFeatures + f)];
    }
    x(i, kFeatures) = 1;
    y(i) = samples.targets[static_cast<std::size_t>(i)];
  }
  const Eigen::VectorXd solution = (x.transpose() * x).ldlt().solve(x.transpose() * y);
  return {solution.data(), solution.data() + solution.size()};
}

}  // namespace fed::examples
