// Who waits for what.
//
//   1  A client has at most one entry; the newer poll wins.
//   2  A client stands in a queue iff its entry names the job.
#include "server/coordinate/pool.h"

#include <algorithm>

namespace fed::server {
namespace {

Status Replaced() {
  return Status(StatusCode::kAborted, "a newer check-in of this identity has taken its place");
}

}  // namespace

void Pool::Add(Entry entry) {
  MutexLock lock(mu_);
  if (entry.poll->cancelled()) return;
  const auto at = entries_.find(entry.poll->device().caller.id);
  if (at != entries_.end()) {
    if (at->second.poll->device().sequence > entry.poll->device().sequence) {
      entry.poll->Answer(Replaced());
      return;
    }
    Extract(at).poll->Answer(Replaced());
  }
  Insert(std::move(entry));
}

void Pool::PutBack(std::vector<Entry> entries) {
  MutexLock lock(mu_);
  for (Entry& entry : entries) {
    if (entries_.contains(entry.poll->device().caller.id)) {
      entry.poll->Answer(Replaced());
    } else if (!entry.poll->cancelled()) {
      Insert(std::move(entry));
    }
  }
}

bool Pool::Remove(const HeldPoll& poll) {
  MutexLock lock(mu_);
  const auto at = entries_.find(poll.device().caller.id);
  if (at == entries_.end() || at->second.poll.get() != &poll) return false;
  Extract(at);
  return true;
}

std::vector<Pool::Entry> Pool::Take(const std::vector<ClientId>& clients) {
  std::vector<Entry> taken;
  MutexLock lock(mu_);
  for (const ClientId& client : clients) {
    const auto at = entries_.find(client);
    if (at != entries_.end()) taken.push_back(Extract(at));
  }
  return taken;
}

std::vector<Pool::Entry> Pool::TakeIf(const ClientId& client,
                                      absl::FunctionRef<bool(const Device&)> wanted) {
  std::vector<Entry> taken;
  MutexLock lock(mu_);
  const auto at = entries_.find(client);
  if (at != entries_.end() && wanted(at->second.poll->device())) taken.push_back(Extract(at));
  return taken;
}

std::vector<Pool::Entry> Pool::TakeQueues(const JobId& job) {
  std::vector<ClientId> clients = Waiting(job, wire::Purpose::kTrain);
  for (ClientId& client : Waiting(job, wire::Purpose::kEvaluate)) {
    clients.push_back(std::move(client));
  }
  return Take(clients);
}

std::vector<Pool::Entry> Pool::TakeAll() {
  std::vector<Entry> taken;
  MutexLock lock(mu_);
  while (!entries_.empty()) taken.push_back(Extract(entries_.begin()));
  return taken;
}

void Pool::Join(const JobId& job, absl::FunctionRef<bool(const Device&)> takes) {
  MutexLock lock(mu_);
  for (auto& [client, entry] : entries_) {
    if (std::find(entry.jobs.begin(), entry.jobs.end(), job) != entry.jobs.end()) continue;
    if (!takes(entry.poll->device())) continue;
    entry.jobs.push_back(job);
    Enter(job, entry.poll->device());
  }
}

std::vector<ClientId> Pool::Waiting(const JobId& job, wire::Purpose purpose) const {
  MutexLock lock(mu_);
  const auto at = queues_.find(QueueKey(job, purpose));
  if (at == queues_.end()) return {};
  return {at->second.clients.begin(), at->second.clients.end()};
}

int Pool::Count(const JobId& job, wire::Purpose purpose) const {
  MutexLock lock(mu_);
  const auto at = queues_.find(QueueKey(job, purpose));
  return at == queues_.end() ? 0 : static_cast<int>(at->second.clients.size());
}

absl::Time Pool::Since(const JobId& job, wire::Purpose purpose) const {
  MutexLock lock(mu_);
  const auto at = queues_.find(QueueKey(job, purpose));
  return at == queues_.end() ? absl::InfiniteFuture() : at->second.since;
}

bool Pool::IsWaiting(const ClientId& client) const {
  MutexLock lock(mu_);
  return entries_.contains(client);
}

void Pool::Insert(Entry entry) {
  const Device& device = entry.poll->device();
  for (const JobId& job : entry.jobs) Enter(job, device);
  entries_.insert_or_assign(device.caller.id, std::move(entry));
}

Pool::Entry Pool::Extract(Entries::iterator at) {
  Entry entry = std::move(at->second);
  for (const JobId& job : entry.jobs) {
    const auto queue = queues_.find(QueueKey(job, entry.poll->device().purpose()));
    queue->second.clients.erase(at->first);
    if (queue->second.clients.empty()) queues_.erase(queue);
  }
  entries_.erase(at);
  return entry;
}

void Pool::Enter(const JobId& job, const Device& device) {
  Queue& queue = queues_[QueueKey(job, device.purpose())];
  if (queue.clients.empty()) queue.since = clock_.Now();
  queue.clients.insert(device.caller.id);
}

}  // namespace fed::server
