// Texts -> values -> files -> rows.
#include "server/coordinate/job_creation.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/tensor/safetensors.h"
#include "server/aggregate/strategy_table.h"
#include "server/coordinate/initial_version.h"
#include "server/coordinate/job_terms.h"
#include "server/round/job_spec.h"

namespace fed::server {
namespace {

Status Taken(const JobId& job) {
  return Status(StatusCode::kAlreadyExists,
                absl::StrCat("there is a job \"", job.value, "\": choose another id"));
}

Status CheckIsFree(Context& context, const JobId& job) {
  return context.parts.store.Read([&](const StoreView& view) -> Status {
    const Status found = view.Job(job).status();
    if (found.ok()) return Taken(job);
    return found.code() == StatusCode::kNotFound ? Status() : found;
  });
}

// Names that only the strategy table knows.
Status CheckStrategy(const JobSpec& spec) {
  for (const GroupSpec& group : spec.groups) {
    FED_ASSIGN_OR_RETURN(
        const Composition composition,
        Compose(spec.strategy, {group.aggregator, group.optimizer, group.server_learning_rate}));
    FED_RETURN_IF_ERROR(FindAggregator(composition.aggregator).status());
    FED_RETURN_IF_ERROR(MakeOptimizer(composition).status());
  }
  return Status();
}

StatusOr<ModelFile> CommitBlob(BlobFolder::Draft& draft) {
  FED_ASSIGN_OR_RETURN(const std::int64_t bytes, draft.file().size());
  FED_ASSIGN_OR_RETURN(const Digest digest, draft.Commit());
  return ModelFile{digest.ToHex(), bytes};
}

// A broken file is the operator's to mend, whatever the reader calls it.
StatusOr<SafetensorsHeader> HeaderOfOperator(const File& file) {
  StatusOr<SafetensorsHeader> header = ReadSafetensorsHeader(file);
  if (header.ok() || header.status().code() == StatusCode::kUnavailable) return header;
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("the initial model: ", header.status().message()));
}

StatusOr<std::map<std::string, ModelFile>> MakeFiles(Context& context, const JobSpec& spec,
                                                     JobDraft& draft) {
  BlobFolder& blobs = context.parts.blobs;
  std::optional<ModelPlan> plan;
  if (!draft.plan.empty()) {
    FED_ASSIGN_OR_RETURN(plan, ParseModelPlan(draft.plan, draft.plan_source));
  }
  if (!draft.initial_model) {
    if (!plan) {
      return Status(StatusCode::kInvalidArgument,
                    "a job needs a model plan or an initial model's file: [model] plan or file");
    }
    FED_ASSIGN_OR_RETURN(draft.initial_model, blobs.Begin());
    FED_RETURN_IF_ERROR(WriteInitialModel(*plan, spec.model.seed, draft.initial_model->file()));
  }
  FED_ASSIGN_OR_RETURN(const SafetensorsHeader header,
                       HeaderOfOperator(draft.initial_model->file()));
  std::vector<TensorInfo> tensors;
  for (const SafetensorsHeader::Entry& entry : header.entries) tensors.push_back(entry.info);
  if (plan) FED_RETURN_IF_ERROR(CheckAgainstPlan(*plan, tensors, draft.plan_source));
  FED_ASSIGN_OR_RETURN(const FlatLayout layout, FlatLayout::Make(tensors, spec.model.patterns));

  std::map<std::string, ModelFile> files;
  for (const GroupSpec& group : spec.groups) {
    if (group.version_group() == "model") continue;
    FED_ASSIGN_OR_RETURN(const std::unique_ptr<BlobFolder::Draft> zeros, blobs.Begin());
    FED_RETURN_IF_ERROR(WriteZeros(layout, zeros->file()));
    FED_ASSIGN_OR_RETURN(files[group.version_group()], CommitBlob(*zeros));
  }
  FED_ASSIGN_OR_RETURN(files["model"], CommitBlob(*draft.initial_model));
  return files;
}

}  // namespace

StatusOr<CreatedJob> CreateJobRows(Context& context, JobDraft draft) {
  FED_ASSIGN_OR_RETURN(const JobSpec spec, ParseJobSpec(draft.spec, draft.spec_source));
  FED_RETURN_IF_ERROR(CheckStrategy(spec));
  FED_RETURN_IF_ERROR(CheckIsFree(context, spec.id));

  const BlobSweeper::Naming naming(context.sweeper);
  CreatedJob made;
  const absl::Time now = context.parts.clock.WallNow();
  FED_ASSIGN_OR_RETURN(made.initial.files, MakeFiles(context, spec, draft));
  made.initial.job = spec.id;
  made.initial.created_at = now;
  made.job.id = spec.id;
  made.job.spec = std::move(draft.spec);
  made.job.spec_source = std::move(draft.spec_source);
  made.job.plan = std::move(draft.plan);
  made.job.plan_source = std::move(draft.plan_source);
  made.job.state = draft.start ? JobState::kRunning : JobState::kDraft;
  made.job.created_at = now;
  FED_RETURN_IF_ERROR(context.Write([&](StoreEdit& edit) -> Status {
    if (edit.Job(spec.id).ok()) return Taken(spec.id);
    FED_RETURN_IF_ERROR(edit.PutJob(made.job));
    return edit.PutModel(made.initial);
  }));
  return made;
}

}  // namespace fed::server
