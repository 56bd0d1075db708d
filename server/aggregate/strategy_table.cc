// The tables: strategies, aggregators, optimizers. A new one is a line here.
#include "server/aggregate/strategy_table.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/aggregate/server_sgd.h"
#include "server/aggregate/weighted_mean.h"

namespace fed::server {
namespace {

constexpr Strategy kStrategies[] = {
    // name, selection, local update rule, aggregator, server optimizer
    {"fedavg", "uniform", "sgd", "weighted_mean", "sgd"},
};

struct AggregatorRow {
  absl::string_view name;
  StatusOr<std::unique_ptr<Aggregator>> (*make)(std::vector<Contribution>);
};
constexpr AggregatorRow kAggregators[] = {
    {"weighted_mean", MakeWeightedMean},
};

struct OptimizerRow {
  absl::string_view name;
  std::unique_ptr<ServerOptimizer> (*make)(double server_learning_rate);
};
constexpr OptimizerRow kOptimizers[] = {
    {"sgd", MakeServerSgd},
};

// The row of that name.
template <typename Row, std::size_t kRows>
StatusOr<const Row*> Find(const Row (&table)[kRows], absl::string_view kind,
                          absl::string_view name) {
  const auto at = std::find_if(std::begin(table), std::end(table),
                               [&](const Row& r) { return r.name == name; });
  if (at != std::end(table)) return &*at;
  const std::string names = absl::StrJoin(
      table, ", ", [](std::string* out, const Row& row) { absl::StrAppend(out, row.name); });
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("unknown ", kind, " '", name, "'; there are: ", names));
}

}  // namespace

absl::Span<const Strategy> Strategies() { return kStrategies; }

StatusOr<const Strategy*> FindStrategy(absl::string_view name) {
  return Find(kStrategies, "strategy", name);
}

StatusOr<Composition> Compose(absl::string_view strategy, Composition asked) {
  FED_ASSIGN_OR_RETURN(const Strategy* row, FindStrategy(strategy));
  if (asked.aggregator.empty()) asked.aggregator = std::string(row->aggregator);
  if (asked.optimizer.empty()) asked.optimizer = std::string(row->optimizer);
  FED_RETURN_IF_ERROR(FindAggregator(asked.aggregator).status());
  FED_RETURN_IF_ERROR(MakeOptimizer(asked).status());
  return asked;
}

StatusOr<AggregatorFactory> FindAggregator(absl::string_view name) {
  FED_ASSIGN_OR_RETURN(const AggregatorRow* row, Find(kAggregators, "aggregator", name));
  return AggregatorFactory(row->make);
}

StatusOr<std::unique_ptr<ServerOptimizer>> MakeOptimizer(const Composition& composition) {
  FED_ASSIGN_OR_RETURN(const OptimizerRow* row,
                       Find(kOptimizers, "optimizer", composition.optimizer));
  return row->make(composition.server_learning_rate);
}

}  // namespace fed::server
