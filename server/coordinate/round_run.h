// One round from its draw to its end: the state machine (server/round) with the rows and the signs
// of life around it.
#ifndef FED_SERVER_COORDINATE_ROUND_RUN_H_
#define FED_SERVER_COORDINATE_ROUND_RUN_H_

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "fed/status.h"
#include "server/coordinate/context.h"
#include "server/coordinate/coordinator.h"
#include "server/coordinate/recovery.h"
#include "server/coordinate/round_ledger.h"
#include "server/round/round.h"
#include "server/store/records.h"

namespace fed::server {

// Why a round ends whose job was stopped, and what its devices are told.
inline constexpr const char* kJobStopped = "job stopped";

// What the coordinator does next for a round.
enum class RoundStage {
  kOpen,     // updates come in
  kClosing,  // the transaction that fixes its set is still to be committed
  kFold,     // the set is fixed: aggregate and publish it
  kDiscard,  // the set is fixed: fail it, with the reason that the round says
};

// Not thread-safe: the lock of its job guards it. `context` outlives it.
class RoundRun {
 public:
  struct Opening {
    JobId job;
    RoundId round;
    ModelVersion base;
  };
  // New: written by the first Add.
  RoundRun(Context& context, const RoundPolicy& policy, const Opening& opening, absl::Time now);

  // After a restart; its updates are hashed again before they are folded. `stopped`: its job was
  // stopped, which cancels it if it is OPEN.
  static StatusOr<RoundRun> Restore(Context& context, const RoundPolicy& policy,
                                    const SavedRound& saved, bool stopped);

  // Draws these, in one transaction; nobody has been drawn if it fails. REQUIRES: `rows` are new
  // clients, no more than open_places().
  Status Add(const std::vector<AssignmentRecord>& rows, absl::Time now);

  // Takes in an event; what has no place any more is returned and changes nothing. Call Write soon.
  Status On(const Event& event, absl::Time now);

  // Writes what has changed: members' ends, then CLOSING. On failure it is repeated by calling it
  // again; nothing is lost.
  Status Write();

  // The last transaction of a round in stage kDiscard; returns whether it counts as a failure of
  // the job (a stopped one's does not).
  StatusOr<bool> WriteFailed();

  RoundStage stage() const { return stage_; }
  const Round& round() const { return round_; }
  const RoundRecord& row() const { return row_; }
  bool verify() const { return verify_; }
  bool has_unwritten() const { return !unwritten_.empty() || stage_ == RoundStage::kClosing; }
  int next_draw() { return draws_++; }  // 0, 1, ...
  const std::map<ClientId, AssignmentRecord>& rows() const { return rows_; }
  bool was_drawn(const ClientId& client) const { return rows_.contains(client); }

  // The assignment that a client holds and may go on with; null: none.
  const AssignmentRecord* RowOf(const ClientId& client) const;
  absl::Time DeadlineOf(const ClientId& client) const;
  // A sign of life, with progress; nothing: this assignment is not one that may go on.
  std::optional<wire::RenewReply> Renew(const ClientId& client, const wire::RenewRequest& sign);
  // Its receipt is committed.
  void Accept(const Receipt& receipt);
  std::vector<LiveParticipant> Participants(absl::Time now) const;

 private:
  RoundRun(Context& context, Round round, RoundRecord row)
      : context_(context), round_(std::move(round)), row_(std::move(row)) {}

  struct Progress {
    wire::RenewRequest sign;
    absl::Time at;
  };

  void CarryOut(const Action& action);
  void Change(const ClientId& client, AssignmentState state, const std::string& reason);

  Context& context_;
  Round round_;
  RoundRecord row_;
  bool verify_ = false;
  int draws_ = 0;
  RoundStage stage_ = RoundStage::kOpen;
  std::map<ClientId, AssignmentRecord> rows_;
  std::map<ClientId, Progress> progress_;
  std::vector<MemberChange> unwritten_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_ROUND_RUN_H_
