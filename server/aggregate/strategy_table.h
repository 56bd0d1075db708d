// strategy = selection x local update rule x aggregator x server optimizer: one row each, written
// out. Adding one is one new file and one line here.
#ifndef FED_SERVER_AGGREGATE_STRATEGY_TABLE_H_
#define FED_SERVER_AGGREGATE_STRATEGY_TABLE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fed/status.h"
#include "server/aggregate/aggregator.h"

namespace fed::server {

// What a group of a job asks for, by name; empty: the strategy's own.
struct Composition {
  std::string aggregator;  // "weighted_mean"
  std::string optimizer;   // "sgd"
  double server_learning_rate = 1.0;
};

struct Strategy {
  absl::string_view name;               // "fedavg"
  absl::string_view selection;          // "uniform"
  absl::string_view local_update_rule;  // "sgd"
  absl::string_view aggregator;
  absl::string_view optimizer;
};

absl::Span<const Strategy> Strategies();
StatusOr<const Strategy*> FindStrategy(absl::string_view name);  // kInvalidArgument lists the names

// `asked` with what is empty filled in from the strategy's row. kInvalidArgument: an unknown name,
// or parts that can't go together.
StatusOr<Composition> Compose(absl::string_view strategy, Composition asked);

// kInvalidArgument lists the names there are.
StatusOr<AggregatorFactory> FindAggregator(absl::string_view name);
StatusOr<std::unique_ptr<ServerOptimizer>> MakeOptimizer(const Composition& composition);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_STRATEGY_TABLE_H_
