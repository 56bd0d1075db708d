// Carries out the rounds of every job: events come in from devices, operators and time; the round
// (server/round) decides; what it decided is done here.
#ifndef FED_SERVER_COORDINATE_COORDINATOR_H_
#define FED_SERVER_COORDINATE_COORDINATOR_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/log.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/ingest/round_gate.h"
#include "server/ingest/spool.h"
#include "server/round/job_spec.h"
#include "server/security/access.h"
#include "server/security/revocations.h"
#include "server/store/blob_folder.h"
#include "server/store/store.h"

namespace fed::server {

// A job as it is created: texts, and the initial model's file if there is one.
struct JobDraft {
  std::string spec, spec_source;
  std::string plan, plan_source;                     // empty: none
  std::unique_ptr<BlobFolder::Draft> initial_model;  // null: drawn by the plan's initializer
  bool start = false;
};

// What only the running process knows.
struct LiveJob {
  std::int64_t waiting = 0;  // devices in its pool
  std::string waiting_for;   // what holds it up; empty: nothing
  RoundId open_round;        // 0: none
};
struct LiveParticipant {
  AssignmentId assignment;
  wire::Stage stage = wire::Stage::kTraining;
  std::int64_t step = 0, steps = 0;
  double loss = 0;
  absl::Duration since_last_sign;
};

// Thread-safe; nothing blocks its caller but the RoundGate's methods. Callbacks run on the executor
// (or on the caller's thread when they answer at once), never under a lock.
class Coordinator : public RoundGate {
 public:
  struct Parts {
    Store& store;
    BlobFolder& blobs;
    Spool& spool;
    Revocations& revocations;
    Executor& executor;  // store work and timers
    Executor& fold;      // folds and publishing
    const Clock& clock;
    const Log& log;
    std::function<void(const Status&)> die;  // an outcome is unknown: end the process
  };
  struct Options {
    int fold_threads = 2;
    absl::Duration come_back_after = absl::Seconds(5);  // jittered; spread out after a restart
    absl::Duration restart_spread = absl::Seconds(2);
  };

  // Recovers: every job continues where its rows say it was (recovery.h). Serving may begin when
  // this has returned.
  static StatusOr<std::unique_ptr<Coordinator>> Start(Parts parts, Options options);
  ~Coordinator() override = default;

  // --- devices ---
  // A held poll. The returned handle ends it early when destroyed: `done` is then not called,
  // unless it is being called at that very moment. A poll whose caller has gone does not lose an
  // assignment that was just drawn for it: the next check-in gets the same one.
  class Poll {
   public:
    virtual ~Poll() = default;
  };
  virtual std::unique_ptr<Poll> CheckIn(const Caller& caller, wire::CheckInRequest request,
                                        std::function<void(StatusOr<wire::CheckInReply>)> done) = 0;
  virtual void Renew(const Caller& caller, wire::RenewRequest request,
                     std::function<void(StatusOr<wire::RenewReply>)> done) = 0;
  virtual void ReportEvaluation(const Caller& caller, wire::EvaluationReport report,
                                std::function<void(StatusOr<wire::EvaluationReply>)> done) = 0;
  // Bytes of a version that a device of this job was sent; for the round's metrics.
  virtual void CountDownload(const JobId& job, std::int64_t bytes) = 0;

  // --- operators --- (blocking: called on a worker, never in a gRPC callback)
  virtual StatusOr<JobRecord> CreateJob(JobDraft draft) = 0;
  virtual StatusOr<JobRecord> StartJob(const JobId& job) = 0;
  virtual StatusOr<JobRecord> PauseJob(const JobId& job, const std::string& reason) = 0;
  virtual StatusOr<JobRecord> ResumeJob(const JobId& job) = 0;
  virtual StatusOr<JobRecord> StopJob(const JobId& job, const std::string& reason) = 0;
  virtual StatusOr<LiveJob> Live(const JobId& job) const = 0;
  virtual std::vector<LiveParticipant> LiveParticipants(const JobId& job, RoundId round) const = 0;
  virtual bool IsWaiting(const ClientId& client) const = 0;

  // Called after each change that an operator would see: a round's phase, a receipt, an evaluation,
  // a job's state. The watcher reads what it wants from the store. On the executor.
  struct Change {
    JobId job;
    RoundId round;               // 0: the job itself
    ModelVersion evaluated{-1};  // >= 0: an evaluation of this version came in
  };
  class Watch {
   public:
    virtual ~Watch() = default;
  };
  virtual std::unique_ptr<Watch> WatchJob(const JobId& job,
                                          std::function<void(const Change&)> changed) = 0;

  // --- shutdown --- ends every poll with come-back-later (kShuttingDown), opens no round, lets a
  // fold that runs end; leaves the rounds as they are. `done` when nothing runs any more.
  virtual void Drain(std::function<void()> done) = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_COORDINATOR_H_
