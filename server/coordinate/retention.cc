// First the rows, then the files.
#include "server/coordinate/retention.h"

#include <string>

#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace fed::server {
namespace {

struct Known {
  std::vector<ModelRecord> kept;
  std::map<ModelVersion, double> scores;
};

StatusOr<Known> ReadKnown(const StoreView& view, const JobSpec& spec) {
  Known known;
  FED_ASSIGN_OR_RETURN(const std::vector<ModelRecord> models, view.Models(spec.id));
  for (const ModelRecord& model : models) {
    if (!model.kept) continue;
    known.kept.push_back(model);
    FED_ASSIGN_OR_RETURN(const auto evaluations, view.Evaluations(spec.id, model.version));
    double score = 0;
    if (ScoreOf(spec.retention, evaluations, &score)) known.scores[model.version] = score;
  }
  return known;
}

// What no rule keeps.
StatusOr<std::vector<ModelRecord>> ToLetGo(const StoreView& view, const JobSpec& spec,
                                           const std::set<ModelVersion>& in_use) {
  FED_ASSIGN_OR_RETURN(const Known known, ReadKnown(view, spec));
  std::set<ModelVersion> versions;
  for (const ModelRecord& model : known.kept) versions.insert(model.version);
  const auto keep = VersionsToKeep(spec.retention, versions, known.scores, in_use);
  std::vector<ModelRecord> let_go;
  for (const ModelRecord& model : known.kept) {
    if (!keep.contains(model.version)) let_go.push_back(model);
  }
  return let_go;
}

}  // namespace

std::set<ModelVersion> VersionsToKeep(const RetentionSpec& spec,
                                      const std::set<ModelVersion>& versions,
                                      const std::map<ModelVersion, double>& scores,
                                      const std::set<ModelVersion>& in_use) {
  std::set<ModelVersion> keep = in_use;
  int last = spec.last > 1 ? spec.last : 1;
  for (auto v = versions.rbegin(); v != versions.rend() && last > 0; ++v, --last) keep.insert(*v);
  for (const ModelVersion& version : versions) {
    if (spec.every > 0 && version.value % spec.every == 0) keep.insert(version);
  }
  auto best = scores.begin();
  for (auto s = scores.begin(); s != scores.end(); ++s) {
    if (s->second >= best->second) best = s;
  }
  if (best != scores.end()) keep.insert(best->first);
  return keep;
}

bool ScoreOf(const RetentionSpec& spec, const std::vector<EvaluationRecord>& evaluations,
             double* score) {
  absl::string_view name = spec.best;
  const double sign = absl::ConsumePrefix(&name, "-") ? -1 : 1;
  double sum = 0;
  int count = 0;
  for (const EvaluationRecord& evaluation : evaluations) {
    const auto at = evaluation.scalars.find(std::string(name));
    if (evaluation.state != EvaluationState::kDone || at == evaluation.scalars.end()) continue;
    sum += at->second;
    ++count;
  }
  if (count == 0) return false;
  *score = sign * sum / count;
  return true;
}

StatusOr<std::vector<ModelVersion>> Retain(Context& context, const JobSpec& spec,
                                           const std::set<ModelVersion>& in_use) {
  std::vector<ModelRecord> models;
  const auto look = [&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(models, ToLetGo(view, spec, in_use));
    return Status();
  };
  FED_RETURN_IF_ERROR(context.parts.store.Read(look));
  if (models.empty()) return std::vector<ModelVersion>();  // most rounds: no transaction
  FED_RETURN_IF_ERROR(context.Write([&](StoreEdit& edit) -> Status {
    FED_RETURN_IF_ERROR(look(edit));
    for (ModelRecord model : models) {
      model.kept = false;
      FED_RETURN_IF_ERROR(edit.PutModel(model));
    }
    return Status();
  }));
  std::vector<ModelVersion> let_go;
  std::vector<Digest> files;
  for (const ModelRecord& model : models) {
    let_go.push_back(model.version);
    for (const auto& [group, file] : model.files) {
      FED_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(file.digest));
      files.push_back(digest);
    }
  }
  context.sweeper.Sweep(files);
  return let_go;
}

}  // namespace fed::server
