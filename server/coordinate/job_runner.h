// Runs one job: opens rounds, draws devices, closes, folds, evaluates, until its end.
#ifndef FED_SERVER_COORDINATE_JOB_RUNNER_H_
#define FED_SERVER_COORDINATE_JOB_RUNNER_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/evaluation_desk.h"
#include "server/coordinate/job_terms.h"
#include "server/coordinate/publisher.h"
#include "server/coordinate/recovery.h"
#include "server/coordinate/round_run.h"

namespace fed::server {

// Thread-safe: one lock, held across the job's own transactions, so that rows and memory change
// together. It may be taken before the pool's, never after. All methods may block for a
// transaction; folds run without the lock on the fold executor. Shared with its tasks on the
// executors, which hold it weakly.
class JobRunner : public std::enable_shared_from_this<JobRunner> {
 public:
  JobRunner(std::shared_ptr<Context> context, SavedJob saved);

  // Once, before anything else: goes on where the rows say it was.
  Status Begin();

  const JobTerms& terms() const { return *terms_; }
  JobState state() const;

  // --- devices ---
  // The assignment that the client has open, if it has one.
  std::optional<wire::Assignment> Again(const ClientId& client);
  void PoolChanged();
  wire::RenewReply Renew(const ClientId& client, const wire::RenewRequest& request);
  StatusOr<wire::EvaluationReply> Report(const ClientId& client,
                                         const wire::EvaluationReport& report);
  void Accepted(const Receipt& receipt);
  void Rejected(const ClientId& client, AssignmentId assignment, const std::string& reason);
  void Revoked(const ClientId& client);
  void CountDownload(std::int64_t bytes) { bytes_down_ += bytes; }

  // --- operators ---
  // "start", "pause", "resume", "stop" (job_change.h). kFailedPrecondition: not from this state.
  StatusOr<JobRecord> Order(const std::string& action, const std::string& reason);
  LiveJob Live() const;
  std::vector<LiveParticipant> Participants(RoundId round) const;

 private:
  // Looks at everything and does what is due: safe to call at any time, and after each event.
  void Advance() FED_REQUIRES(mu_);
  void AdvanceRound(absl::Time now) FED_REQUIRES(mu_);
  void BetweenRounds(absl::Time now) FED_REQUIRES(mu_);
  void Open(absl::Time now) FED_REQUIRES(mu_);
  void DrawReplacements(absl::Time now) FED_REQUIRES(mu_);
  bool Draw(std::vector<ClientId> waiting, int places, int at_least) FED_REQUIRES(mu_);
  void Discard() FED_REQUIRES(mu_);
  void StartFold(absl::Time now) FED_REQUIRES(mu_);
  void FoldOnce();
  void TakeVersion(const Publisher::Published& published) FED_REQUIRES(mu_);
  void EndRound() FED_REQUIRES(mu_);
  void Finish(absl::Time now) FED_REQUIRES(mu_);
  void LetVersionsGo() FED_REQUIRES(mu_);
  void Evaluate() FED_REQUIRES(mu_);

  Status Change(const std::string& action, const std::string& reason) FED_REQUIRES(mu_);
  bool IsOver() const FED_REQUIRES(mu_);
  StatusOr<Digest> BaseManifest() FED_REQUIRES(mu_);
  void RetryLater(const char* event, const Status& status) FED_REQUIRES(mu_);
  void WakeAt(absl::Time time) FED_REQUIRES(mu_);
  void Tell(RoundId round) FED_REQUIRES(mu_);

  const std::shared_ptr<Context> context_;
  const std::shared_ptr<const JobTerms> terms_;
  std::atomic<std::int64_t> bytes_down_{0};  // in this round
  mutable Mutex mu_;
  JobRecord record_ FED_GUARDED_BY(mu_);
  ModelRecord latest_ FED_GUARDED_BY(mu_);
  std::optional<Digest> manifest_ FED_GUARDED_BY(mu_);  // of latest_
  std::int64_t published_ FED_GUARDED_BY(mu_);
  RoundId last_round_ FED_GUARDED_BY(mu_);
  AssignmentId next_assignment_ FED_GUARDED_BY(mu_);
  absl::Time last_ended_ FED_GUARDED_BY(mu_);
  absl::Time last_published_ FED_GUARDED_BY(mu_);
  std::optional<SavedRound> saved_round_ FED_GUARDED_BY(mu_);  // until Begin
  std::optional<RoundRun> round_ FED_GUARDED_BY(mu_);
  EvaluationDesk desk_ FED_GUARDED_BY(mu_);
  bool folding_ FED_GUARDED_BY(mu_) = false;
  std::string waiting_for_ FED_GUARDED_BY(mu_);
  absl::Time wake_ FED_GUARDED_BY(mu_) = absl::InfiniteFuture();    // when to look again
  absl::Time timer_ FED_GUARDED_BY(mu_) = absl::InfiniteFuture();   // the earliest one posted
  absl::Time retry_at_ FED_GUARDED_BY(mu_) = absl::InfinitePast();  // of what failed by the disk
  Backoff retry_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_JOB_RUNNER_H_
