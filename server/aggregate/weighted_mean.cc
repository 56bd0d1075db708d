// One row at a time into one tile of F64 sums.
#include "server/aggregate/weighted_mean.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "server/aggregate/contributions.h"

namespace fed::server {
namespace {

class WeightedMean final : public Aggregator {
 public:
  WeightedMean(std::vector<double> weights, double total)
      : weights_(std::move(weights)), total_(total) {}

  bool WantsLook() const override { return false; }
  StatusOr<std::vector<double>> Look(Tile&) const override { return std::vector<double>(); }
  void Learn(absl::Span<const double>) override {}
  Status EndLook() override { return Status(); }

  Status Combine(Tile& tile, absl::Span<float> out) const override {
    FED_DCHECK(out.size() == tile.values());
    if (tile.rows() != weights_.size()) {
      return Status(StatusCode::kInternal, absl::StrCat("a tile of ", tile.rows(), " updates for ",
                                                        weights_.size(), " contributions"));
    }
    std::vector<double> sums(out.size(), 0.0);
    for (std::size_t k = 0; k < weights_.size(); ++k) {
      FED_ASSIGN_OR_RETURN(const absl::Span<const float> row, tile.Row(k));
      const double weight = weights_[k];
      for (std::size_t i = 0; i < sums.size(); ++i) {
        sums[i] += weight * static_cast<double>(row[i]);  // never contracted: fed_options
      }
    }
    for (std::size_t i = 0; i < sums.size(); ++i) out[i] = static_cast<float>(sums[i] / total_);
    return Status();
  }

 private:
  const std::vector<double> weights_;
  const double total_;
};

}  // namespace

StatusOr<std::unique_ptr<Aggregator>> MakeWeightedMean(std::vector<Contribution> contributions) {
  FED_RETURN_IF_ERROR(CheckContributions(contributions, "weighted_mean", 1));
  std::vector<double> weights;
  double total = 0.0;
  for (const Contribution& contribution : contributions) {
    weights.push_back(contribution.weight);
    total += contribution.weight;
  }
  return std::unique_ptr<Aggregator>(std::make_unique<WeightedMean>(std::move(weights), total));
}

}  // namespace fed::server
