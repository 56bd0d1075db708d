// One assignment from start to end: fetch, train, deliver; or fetch, evaluate, report.
#ifndef FED_CLIENT_SDK_SESSION_PARTICIPATION_H_
#define FED_CLIENT_SDK_SESSION_PARTICIPATION_H_

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "client_sdk/session/delivery.h"
#include "client_sdk/session/lease.h"
#include "client_sdk/session/local_training.h"
#include "client_sdk/session/model_cache.h"
#include "client_sdk/session/outbox.h"
#include "client_sdk/session/session_context.h"
#include "client_sdk/session/training_signs.h"
#include "client_sdk/session/version_fetch.h"
#include "client_sdk/transport/transport.h"
#include "fed/status.h"
#include "proto/wire/participation.h"

namespace fed::client {

// What one device works with; outlives its participations.
struct Workplace {
  SessionContext& context;
  Outbox& outbox;
  ModelCache& cache;
  LocalTraining& training;
};

//              .-> kTraining ---> kDelivering -.
//   kFetching <                                 >-> kEnded
//              `-> kEvaluating -> kReporting --'
//
// An update that is in the outbox already begins at kDelivering. On `events` only: Start once. The
// lease is renewed in every stage; when the server says that the assignment no longer counts, the
// stage's work is stopped. `done` is called once, with
//   OK         delivered, or reported
//   kAborted   it no longer counts, or is taken up again after a check-in
//   kCancelled Stop was called
//   else       why this device can't do it; who the caller is; the owner's limits
//              (kFailedPrecondition)
// and never before the trainer has returned.
class Participation final : public std::enable_shared_from_this<Participation> {
 public:
  Participation(const Workplace& place, Transport& transport, wire::Assignment assignment,
                std::function<void(Status)> done);

  void Start();
  void Stop(Status why = Status(StatusCode::kCancelled, "stopped"));

  const wire::Assignment& assignment() const { return assignment_; }

 private:
  enum class Stage { kFetching, kTraining, kDelivering, kEvaluating, kReporting, kEnded };
  using Scalars = std::map<std::string, double>;

  Status CheckOwnerLimits() const;
  void Fetch();
  void OnFetched(StatusOr<VersionFiles> files);
  void Train(VersionFiles files);
  void OnTrained(const Status& status);
  void Deliver();
  void Evaluate(VersionFiles files);
  void OnEvaluated(StatusOr<Scalars> scalars);
  void Report();
  void OnReported(const StatusOr<wire::EvaluationReply>& reply);

  void Enter(Stage stage);
  void Finish(Status status);

  const Workplace place_;
  Transport& transport_;
  // Shared with the training's thread, as are the signs.
  const std::shared_ptr<const wire::Assignment> shared_assignment_;
  const wire::Assignment& assignment_;
  const std::shared_ptr<TrainingSigns> signs_;
  std::function<void(Status)> done_;
  Stage stage_ = Stage::kFetching;
  Status stopped_;  // why, while the trainer has yet to return
  std::shared_ptr<Lease> lease_;
  std::shared_ptr<VersionFetch> fetch_;
  std::shared_ptr<Delivery> delivery_;
  Backoff backoff_;  // of reports
  Scalars scalars_;
  std::unique_ptr<Call> call_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_PARTICIPATION_H_
