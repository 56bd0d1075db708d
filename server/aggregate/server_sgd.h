// The server optimizer of FedAvg: one step along the aggregate.
#ifndef FED_SERVER_AGGREGATE_SERVER_SGD_H_
#define FED_SERVER_AGGREGATE_SERVER_SGD_H_

#include <memory>

#include "server/aggregate/aggregator.h"

namespace fed::server {

// w <- w + learning_rate * aggregate. A delta is w_local - w_base: it points where the devices
// went, so it is added; the pseudo-gradient is minus the aggregate. With a learning rate of 1 the
// new model is the mean of the devices' models. In F64, rounded to F32 once.
std::unique_ptr<ServerOptimizer> MakeServerSgd(double learning_rate);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_SERVER_SGD_H_
