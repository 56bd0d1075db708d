// What every aggregator asks of the contributions it is made from.
#ifndef FED_SERVER_AGGREGATE_CONTRIBUTIONS_H_
#define FED_SERVER_AGGREGATE_CONTRIBUTIONS_H_

#include <cstddef>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fed/status.h"
#include "server/aggregate/aggregator.h"

namespace fed::server {

// kFailedPrecondition: fewer than `least`, which `method` needs. kInternal: not in canonical order,
// a contribution twice, or a weight (or their sum) that is not positive and finite.
Status CheckContributions(absl::Span<const Contribution> contributions, absl::string_view method,
                          std::size_t least);

}  // namespace fed::server

#endif  // FED_SERVER_AGGREGATE_CONTRIBUTIONS_H_
