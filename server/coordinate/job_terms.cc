// A job's texts as values.
#include "server/coordinate/job_terms.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/tensor/safetensors.h"

namespace fed::server {
namespace {

RoundPolicy PolicyOf(const RoundsSpec& rounds) {
  RoundPolicy policy;
  policy.target_updates = rounds.cohort;
  policy.min_updates = rounds.min_updates;
  policy.cohort_size = rounds.places();
  policy.time_limit = rounds.time_limit;
  policy.client_time_limit = rounds.client_time_limit;
  const bool renews = rounds.renew_every > absl::ZeroDuration();
  policy.lease = renews ? rounds.lease : absl::ZeroDuration();
  return policy;
}

StatusOr<FlatLayout> LayoutOf(const JobSpec& spec, const ModelRecord& version,
                              const BlobFolder& blobs) {
  const auto model = version.files.find("model");
  if (model == version.files.end()) {
    return Status(StatusCode::kDataLoss,
                  absl::StrCat("version ", version.version.value, " has no file \"model\""));
  }
  FED_ASSIGN_OR_RETURN(const Digest digest, Digest::FromHex(model->second.digest));
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<File> file, blobs.Open(digest));
  FED_ASSIGN_OR_RETURN(const SafetensorsHeader header, ReadSafetensorsHeader(*file));
  std::vector<TensorInfo> tensors;
  for (const SafetensorsHeader::Entry& entry : header.entries) tensors.push_back(entry.info);
  return FlatLayout::Make(tensors, spec.model.patterns);
}

bool AllLabelsFit(const Labels& wanted, const Labels& has) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& label) {
    const auto at = has.find(label.first);
    return at != has.end() && at->second == label.second;
  });
}

}  // namespace

StatusOr<std::shared_ptr<const JobTerms>> ReadTerms(const JobRecord& job,
                                                    const ModelRecord& version,
                                                    const BlobFolder& blobs) {
  auto terms = std::make_shared<JobTerms>();
  FED_ASSIGN_OR_RETURN(terms->spec, ParseJobSpec(job.spec, job.spec_source));
  if (!job.plan.empty()) {
    FED_ASSIGN_OR_RETURN(terms->plan, ParseModelPlan(job.plan, job.plan_source));
  }
  FED_ASSIGN_OR_RETURN(const FlatLayout layout, LayoutOf(terms->spec, version, blobs));
  terms->layout = layout.digest();
  terms->values = layout.values();
  terms->policy = PolicyOf(terms->spec.rounds);
  FED_RETURN_IF_ERROR(Validate(terms->policy));
  terms->scalars = {kExamplesScalar, kStepsScalar, kLossScalar};
  std::sort(terms->scalars.begin(), terms->scalars.end());
  const bool weighs = std::any_of(terms->spec.groups.begin(), terms->spec.groups.end(),
                                  [](const GroupSpec& g) { return g.weighting == "examples"; });
  if (weighs) terms->weight_scalar = kExamplesScalar;
  return std::shared_ptr<const JobTerms>(std::move(terms));
}

UpdateTerms TermsOfUpdate(const JobTerms& terms, const AssignmentRecord& assignment) {
  UpdateTerms update;
  update.joins = assignment.round;
  update.base = assignment.base;
  update.layout = terms.layout;
  update.codec = assignment.codec;
  for (const GroupSpec& group : terms.spec.groups) {
    update.groups.push_back({group.name, terms.values});
  }
  std::sort(update.groups.begin(), update.groups.end(),
            [](const UpdateGroup& a, const UpdateGroup& b) { return a.name < b.name; });
  update.scalars = {terms.scalars.begin(), terms.scalars.end()};
  update.weight_scalar = terms.weight_scalar;
  update.max_weight = static_cast<double>(terms.spec.max_examples);
  update.max_norm = terms.spec.max_update_norm;
  return update;
}

JobAdmission Admit(const JobTerms& terms, Role role, const Labels& labels,
                   const wire::Abilities& abilities) {
  const std::string job = absl::StrCat("job \"", terms.spec.id.value, "\" ");
  if (role == Role::kEvaluator) {
    if (terms.spec.evaluation.every > 0) return {};
    return {JobAdmission::Kind::kNotAllowed, job + "wants no evaluation"};
  }
  const std::vector<Role>& roles = terms.spec.allow.roles;
  if (std::find(roles.begin(), roles.end(), role) == roles.end()) {
    return {JobAdmission::Kind::kNotAllowed,
            absl::StrCat(job, "takes no device of role ", RoleName(role))};
  }
  if (!AllLabelsFit(terms.spec.allow.labels, labels)) {
    return {JobAdmission::Kind::kNotAllowed, job + "takes only devices with other labels"};
  }
  if (ChooseCodec(terms, abilities).empty()) {
    return {JobAdmission::Kind::kNoCodec,
            absl::StrCat(job, "takes the codecs ", absl::StrJoin(terms.spec.codecs, ", "),
                         "; the device has ", absl::StrJoin(abilities.codecs, ", "))};
  }
  return {};
}

std::string ChooseCodec(const JobTerms& terms, const wire::Abilities& abilities) {
  for (const std::string& codec : terms.spec.codecs) {
    const auto& has = abilities.codecs;
    if (std::find(has.begin(), has.end(), codec) != has.end()) return codec;
  }
  return "";
}

}  // namespace fed::server
