// The samples that the nodes hold between them: made from a seed, so that every process has the
// same ones.
#ifndef FED_EXAMPLES_LINEAR_REGRESSION_SAMPLES_H_
#define FED_EXAMPLES_LINEAR_REGRESSION_SAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

namespace fed::examples {

inline constexpr int kFeatures = 100;
inline constexpr int kClasses = 10;
inline constexpr int kSamples = 1'000;
inline constexpr int kFreshSamples = 100;

struct Samples {
  std::vector<float> features;  // n x kFeatures, row-major, N(0,1)
  std::vector<float> targets;   // n
};

// y = w x + b + noise of deviation 0.1, with w and b drawn from N(0,1).
Samples LinearSamples(int count, std::uint64_t stream);

// The class whose of ten random directions x lies most along.
Samples ClassSamples(int count, std::uint64_t stream);

// Which node holds each of kSamples samples: at random, as many each.
std::vector<std::vector<std::int64_t>> SplitAmong(int nodes);

// The weights and the bias (last) that minimize the mean squared error on `samples`.
std::vector<double> LeastSquares(const Samples& samples);

}  // namespace fed::examples

#endif  // FED_EXAMPLES_LINEAR_REGRESSION_SAMPLES_H_
