// The newest version first.
#include "server/coordinate/evaluations.h"

#include <algorithm>

namespace fed::server {

void Evaluations::Add(ModelVersion version, const std::vector<EvaluationRecord>& known,
                      absl::Time now) {
  if (!IsDue(version)) return;
  versions_.insert(version);
  for (const EvaluationRecord& row : known) {
    if (row.state == EvaluationState::kDone) Finish(row);
    if (row.state == EvaluationState::kAssigned) Begin(row, now);
  }
}

void Evaluations::Forget(ModelVersion version) { versions_.erase(version); }

std::optional<ModelVersion> Evaluations::NextFor(const ClientId& evaluator) const {
  for (auto version = versions_.rbegin(); version != versions_.rend(); ++version) {
    if (!done_.contains({evaluator, *version})) return *version;
  }
  return std::nullopt;
}

void Evaluations::Begin(const EvaluationRecord& row, absl::Time now) {
  Open& open = open_[row.client];
  open.row = row;
  open.deadline = now + spec_.timeout;
  Hold(open, now);
}

const Evaluations::Open* Evaluations::OpenOf(const ClientId& client) const {
  const auto at = open_.find(client);
  return at == open_.end() ? nullptr : &at->second;
}

bool Evaluations::Renew(const ClientId& client, AssignmentId assignment, absl::Time now) {
  const auto at = open_.find(client);
  if (at == open_.end() || at->second.row.assignment != assignment) return false;
  Hold(at->second, now);
  return true;
}

void Evaluations::Finish(const EvaluationRecord& row) {
  done_.emplace(row.client, row.version);
  done_versions_.insert(row.version);
  const auto at = open_.find(row.client);
  if (at != open_.end() && at->second.row.assignment == row.assignment) open_.erase(at);
}

std::optional<EvaluationRecord> Evaluations::Drop(const ClientId& client) {
  const auto at = open_.find(client);
  if (at == open_.end()) return std::nullopt;
  EvaluationRecord gone = at->second.row;
  gone.state = EvaluationState::kGone;
  open_.erase(at);
  return gone;
}

std::vector<EvaluationRecord> Evaluations::Expire(absl::Time now) {
  std::vector<ClientId> late;
  for (const auto& [client, open] : open_) {
    if (now >= std::min(open.deadline, open.lease_ends)) late.push_back(client);
  }
  std::vector<EvaluationRecord> gone;
  for (const ClientId& client : late) gone.push_back(*Drop(client));
  return gone;
}

absl::Time Evaluations::next_wake() const {
  absl::Time wake = absl::InfiniteFuture();
  for (const auto& [client, open] : open_) {
    wake = std::min({wake, open.deadline, open.lease_ends});
  }
  return wake;
}

std::set<ModelVersion> Evaluations::in_use() const {
  std::set<ModelVersion> versions;
  for (const auto& [client, open] : open_) versions.insert(open.row.version);
  return versions;
}

bool Evaluations::IsBeingDone(ModelVersion version) const {
  return std::any_of(open_.begin(), open_.end(),
                     [&](const auto& open) { return open.second.row.version == version; });
}

bool Evaluations::IsDue(ModelVersion version) const {
  if (spec_.every <= 0 || version.value <= 0) return false;
  return version.value % spec_.every == 0 || version.value == last_version_;
}

void Evaluations::Hold(Open& open, absl::Time now) {
  open.lease_ends = lease_ > absl::ZeroDuration() ? now + lease_ : absl::InfiniteFuture();
}

}  // namespace fed::server
