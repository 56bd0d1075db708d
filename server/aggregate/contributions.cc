// Our own mistakes are told from what a round lacks.
#include "server/aggregate/contributions.h"

#include <cmath>

#include "absl/strings/str_cat.h"

namespace fed::server {

Status CheckContributions(absl::Span<const Contribution> contributions, absl::string_view method,
                          std::size_t least) {
  if (contributions.size() < least) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat(method, " needs at least ", least, " updates: there are ",
                               contributions.size()));
  }
  double total = 0.0;
  for (std::size_t k = 0; k < contributions.size(); ++k) {
    const Contribution& contribution = contributions[k];
    if (k > 0 && !CanonicallyBefore(contributions[k - 1], contribution)) {
      return Status(StatusCode::kInternal, "contributions are not in canonical order");
    }
    total += contribution.weight;
    if (!(contribution.weight > 0) || !std::isfinite(total)) {
      return Status(StatusCode::kInternal,
                    absl::StrCat("assignment ", contribution.assignment.value, " weighs ",
                                 contribution.weight, " of ", total));
    }
  }
  return Status();
}

}  // namespace fed::server
