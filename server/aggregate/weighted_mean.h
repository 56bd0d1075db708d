// FedAvg's aggregate: sum_k weight_k * row_k / sum_k weight_k, value by value.
#ifndef FED_SERVER_AGGREGATE_WEIGHTED_MEAN_H_
#define FED_SERVER_AGGREGATE_WEIGHTED_MEAN_H_

#include <memory>
#include <vector>

#include "fed/status.h"
#include "server/aggregate/aggregator.h"

namespace fed::server {

// Needs one contribution. With weights of 1 it is the plain mean. Sums are in F64, in row order,
// each product rounded before it is added; one division by the total at the end, one rounding to
// F32.
StatusOr<std::unique_ptr<Aggregator>> MakeWeightedMean(std::vector<Contribution> contributions);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_WEIGHTED_MEAN_H_
