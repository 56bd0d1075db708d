// Load, lay the device's own tensors over, train, store.
#include "client_sdk/session/local_training.h"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client_sdk/update/update_builder.h"
#include "common/base/file.h"
#include "common/tensor/flat_layout.h"
#include "common/tensor/safetensors.h"

namespace fed::client {
namespace {

UpdateSpec SpecOf(const wire::Assignment& assignment) {
  UpdateSpec spec;
  spec.job = assignment.ref.job;
  spec.assignment = assignment.ref.assignment;
  spec.base = assignment.base;
  spec.codec = assignment.codec;
  spec.groups = assignment.update_groups;
  spec.scalars = assignment.scalars;
  spec.patterns = assignment.patterns;
  spec.seed = assignment.seed;
  return spec;
}

void CopyTensor(const Parameters& from, std::size_t i, Parameters& to, std::size_t j) {
  if (IsTrainableDtype(from.info(i).dtype)) {
    const auto values = from.values(i);
    std::copy(values.begin(), values.end(), to.values(j).begin());
  } else {
    const auto bytes = from.bytes(i);
    std::copy(bytes.begin(), bytes.end(), to.bytes(j).begin());
  }
}

// The tensors that never leave this device; none if the job has none.
StatusOr<Parameters> LocalOf(const Parameters& model, const RolePatterns& patterns) {
  Parameters local;
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (RoleOf(model.info(i), patterns) != TensorRole::kLocal) continue;
    FED_RETURN_IF_ERROR(local.Add(model.info(i)));
    CopyTensor(model, i, local, local.size() - 1);
  }
  return local;
}

// The border to code that is not ours and may throw.
template <typename Result, typename Run>
Result Guarded(Run run) {
  try {
    return run();
  } catch (const std::bad_alloc&) {
    return Status(StatusCode::kResourceExhausted, "trainer: out of memory");
  } catch (const std::exception& thrown) {
    return Status(StatusCode::kInternal, absl::StrCat("trainer threw: ", thrown.what()));
  } catch (...) {
    return Status(StatusCode::kInternal, "trainer threw something that is no std::exception");
  }
}

}  // namespace

Status LocalTraining::Train(const wire::Assignment& assignment, const VersionFiles& files,
                            TrainingSigns& signs) {
  FED_ASSIGN_OR_RETURN(Inputs inputs, Prepare(assignment, files, signs));
  FED_ASSIGN_OR_RETURN(const TrainResult result, Guarded<StatusOr<TrainResult>>([&] {
                         return inputs.trainer->Train(inputs.model, assignment.config,
                                                      inputs.context);
                       }));
  FED_ASSIGN_OR_RETURN(const Parameters local, LocalOf(result.parameters, assignment.patterns));
  return outbox_.Store(
      assignment.ref,
      [&](File& file) {
        return WriteUpdate(SpecOf(assignment), inputs.model, result, file, context_.log);
      },
      local.size() > 0 ? &local : nullptr);
}

StatusOr<std::map<std::string, double>> LocalTraining::Evaluate(const wire::Assignment& assignment,
                                                                const VersionFiles& files,
                                                                TrainingSigns& signs) {
  FED_ASSIGN_OR_RETURN(Inputs inputs, Prepare(assignment, files, signs));
  return Guarded<StatusOr<std::map<std::string, double>>>(
      [&] { return inputs.trainer->Evaluate(inputs.model, assignment.config, inputs.context); });
}

StatusOr<LocalTraining::Inputs> LocalTraining::Prepare(const wire::Assignment& assignment,
                                                       const VersionFiles& files,
                                                       TrainingSigns& signs) {
  Inputs inputs;
  FED_ASSIGN_OR_RETURN(inputs.trainer, TrainerOf(assignment));
  for (const auto& [group, path] : files) {
    FED_ASSIGN_OR_RETURN(Parameters parameters, LoadSafetensors(context_.files, path));
    if (group == "model") {
      inputs.model = std::move(parameters);
    } else {
      inputs.context.groups[group] = std::move(parameters);
    }
  }
  FED_RETURN_IF_ERROR(LayLocalOver(assignment, inputs.model));
  inputs.context.seed = assignment.seed;
  inputs.context.keep_going = [this, &assignment, &signs](const TrainProgress& progress) {
    return KeepGoing(assignment, progress, signs);
  };
  inputs.context.state_dir =
      JoinPath(JoinPath(context_.options.state_dir, "trainer"), assignment.ref.job.value);
  FED_RETURN_IF_ERROR(context_.files.MakeFolder(inputs.context.state_dir));
  return inputs;
}

StatusOr<Trainer*> LocalTraining::TrainerOf(const wire::Assignment& assignment) {
  JobTrainer& job = trainers_[assignment.ref.job];  // a map: its entries stay where they are
  if (job.trainer != nullptr) return job.trainer.get();
  job.plan = assignment.plan;
  JobInfo info;
  info.job = assignment.ref.job.value;
  info.plan = job.plan ? &*job.plan : nullptr;
  FED_ASSIGN_OR_RETURN(job.trainer, Guarded<StatusOr<std::unique_ptr<Trainer>>>(
                                        [&] { return context_.options.trainer(info); }));
  if (job.trainer != nullptr) return job.trainer.get();
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat("ClientOptions.trainer made no trainer for ", info.job));
}

Status LocalTraining::LayLocalOver(const wire::Assignment& assignment, Parameters& model) const {
  FED_ASSIGN_OR_RETURN(const Parameters local, outbox_.Local(assignment.ref.job));
  for (std::size_t i = 0; i < local.size(); ++i) {
    const std::optional<std::size_t> place = model.Find(local.info(i).name);
    if (place && model.info(*place) == local.info(i) &&
        RoleOf(local.info(i), assignment.patterns) == TensorRole::kLocal) {
      CopyTensor(local, i, model, *place);
      continue;
    }
    context_.log.Warn("training.local_tensor_dropped",
                      {{"job", assignment.ref.job.value}, {"tensor", local.info(i).name}});
  }
  return {};
}

bool LocalTraining::KeepGoing(const wire::Assignment& assignment, const TrainProgress& progress,
                              TrainingSigns& signs) const {
  signs.step = progress.step;
  signs.steps = progress.steps;
  signs.loss = progress.loss;
  const bool evaluating = assignment.purpose == wire::Purpose::kEvaluate;
  context_.Report(
      {assignment.ref.job.value, assignment.round.value,
       evaluating ? ClientProgress::Stage::kEvaluating : ClientProgress::Stage::kTraining,
       progress.step, progress.steps, progress.loss});
  return !signs.stop && context_.clock.Now() < signs.deadline();
}

}  // namespace fed::client
