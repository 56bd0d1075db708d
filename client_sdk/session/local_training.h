// The part of a round that only this device sees: its trainer on its data, and its own tensors.
#ifndef FED_CLIENT_SDK_SESSION_LOCAL_TRAINING_H_
#define FED_CLIENT_SDK_SESSION_LOCAL_TRAINING_H_

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "client_sdk/session/outbox.h"
#include "client_sdk/session/session_context.h"
#include "client_sdk/session/training_signs.h"
#include "client_sdk/session/version_fetch.h"
#include "fed/trainer.h"
#include "proto/wire/participation.h"

namespace fed::client {

// Everything blocks and runs on `work`, one call at a time.
class LocalTraining {
 public:
  LocalTraining(const SessionContext& context, Outbox& outbox)
      : context_(context), outbox_(outbox) {}

  // Trains the version in these files and leaves the update in the outbox. kCancelled: the signs or
  // the deadline stopped it. kInvalidArgument: what the trainer returned is no update. Else as the
  // trainer, its factory or the disk say.
  Status Train(const wire::Assignment& assignment, const VersionFiles& files, TrainingSigns& signs);

  // kUnimplemented: this trainer does not evaluate.
  StatusOr<std::map<std::string, double>> Evaluate(const wire::Assignment& assignment,
                                                   const VersionFiles& files, TrainingSigns& signs);

 private:
  struct JobTrainer {
    std::optional<ModelPlan> plan;  // outlives the trainer, which may point at it
    std::unique_ptr<Trainer> trainer;
  };
  struct Inputs {
    Parameters model;
    TrainContext context;
    Trainer* trainer = nullptr;
  };

  StatusOr<Inputs> Prepare(const wire::Assignment& assignment, const VersionFiles& files,
                           TrainingSigns& signs);
  StatusOr<Trainer*> TrainerOf(const wire::Assignment& assignment);
  Status LayLocalOver(const wire::Assignment& assignment, Parameters& model) const;
  bool KeepGoing(const wire::Assignment& assignment, const TrainProgress& progress,
                 TrainingSigns& signs) const;

  const SessionContext& context_;
  Outbox& outbox_;
  std::map<JobId, JobTrainer> trainers_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_LOCAL_TRAINING_H_
