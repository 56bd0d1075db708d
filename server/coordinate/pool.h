// The devices that wait for work: one held poll an identity, in the queue of every job that takes
// it.
#ifndef FED_SERVER_COORDINATE_POOL_H_
#define FED_SERVER_COORDINATE_POOL_H_

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "server/coordinate/held_poll.h"

namespace fed::server {

// Thread-safe; never calls out under its lock but to post an answer. `clock` outlives it.
class Pool {
 public:
  explicit Pool(const Clock& clock) : clock_(clock) {}

  // A poll and the jobs in whose queues it stands; none while its receipts are not settled.
  struct Entry {
    std::shared_ptr<HeldPoll> poll;
    std::vector<JobId> jobs;
  };

  // Of two polls of one identity the one that arrived first is answered kAborted, in whatever order
  // they are added. One that was cancelled is not added.
  void Add(Entry entry);
  // Of polls that were taken and not used: a newer one of the identity stays instead.
  void PutBack(std::vector<Entry> entries);

  // Takes it out; false if it was not in (it was taken, ended or replaced).
  bool Remove(const HeldPoll& poll);
  // Takes these out of every queue: the first draw wins. Those that have left are not in the
  // result.
  std::vector<Entry> Take(const std::vector<ClientId>& clients);
  std::vector<Entry> TakeIf(const ClientId& client, absl::FunctionRef<bool(const Device&)> wanted);
  std::vector<Entry> TakeQueues(const JobId& job);
  std::vector<Entry> TakeAll();

  // Puts the waiting devices that `takes` into the job's queues, too.
  void Join(const JobId& job, absl::FunctionRef<bool(const Device&)> takes);

  std::vector<ClientId> Waiting(const JobId& job, wire::Purpose purpose) const;  // sorted
  int Count(const JobId& job, wire::Purpose purpose) const;
  // Since when at least one waits; InfiniteFuture: none does.
  absl::Time Since(const JobId& job, wire::Purpose purpose) const;
  bool IsWaiting(const ClientId& client) const;

 private:
  struct Queue {
    std::set<ClientId> clients;
    absl::Time since;
  };
  using QueueKey = std::pair<JobId, wire::Purpose>;
  using Entries = std::map<ClientId, Entry>;

  void Insert(Entry entry) FED_REQUIRES(mu_);
  Entry Extract(Entries::iterator at) FED_REQUIRES(mu_);
  void Enter(const JobId& job, const Device& device) FED_REQUIRES(mu_);

  const Clock& clock_;
  mutable Mutex mu_;
  Entries entries_ FED_GUARDED_BY(mu_);
  std::map<QueueKey, Queue> queues_ FED_GUARDED_BY(mu_);  // never an empty one
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_POOL_H_
