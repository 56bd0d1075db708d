// Several evaluators' scalars as one figure each.
#include "server/rpc/version_scalars.h"

#include <map>
#include <string>
#include <vector>

namespace fed::server {

StatusOr<Scalars> ScalarsOfVersion(const StoreView& view, const JobId& job, ModelVersion version) {
  FED_ASSIGN_OR_RETURN(const std::vector<EvaluationRecord> evaluations,
                       view.Evaluations(job, version));
  struct Sum {
    double weighted = 0, weight = 0;
  };
  std::map<std::string, Sum> sums;
  double examples = 0;
  for (const EvaluationRecord& evaluation : evaluations) {
    if (evaluation.state != EvaluationState::kDone) continue;
    const auto said = evaluation.scalars.find("examples");
    const bool says = said != evaluation.scalars.end() && said->second > 0;
    const double weight = says ? said->second : 1.0;
    if (says) examples += weight;
    for (const auto& [name, value] : evaluation.scalars) {
      sums[name].weighted += weight * value;
      sums[name].weight += weight;
    }
  }
  Scalars means;
  for (const auto& [name, sum] : sums) means[name] = sum.weighted / sum.weight;
  if (means.contains("examples")) means["examples"] = examples;
  return means;
}

}  // namespace fed::server
