// Sightings gathered, then one transaction for all of them.
#include "server/coordinate/client_book.h"

#include <algorithm>
#include <utility>

namespace fed::server {
namespace {

StatusOr<ClientRecord> RowOf(const StoreView& view, const Caller& caller, absl::Time now) {
  StatusOr<ClientRecord> row = view.Client(caller.id);
  if (row.status().code() != StatusCode::kNotFound) return row;
  ClientRecord made;  // its certificate was not made by our enrollment
  made.id = caller.id;
  made.role = caller.role;
  made.enrolled_at = now;
  made.first_seen = absl::InfinitePast();
  return made;
}

}  // namespace

Labels MergedLabels(const Labels& row, const Labels& said) {
  Labels merged = row;
  merged.insert(said.begin(), said.end());
  return merged;
}

void ClientBook::Seen(const Device& device) {
  const absl::Time now = context_->parts.clock.WallNow();
  bool is_first = false;
  {
    MutexLock lock(mu_);
    is_first = seen_.empty();
    const auto [at, is_new] = seen_.try_emplace(device.caller.id, Sighting{device, now, now});
    if (!is_new) at->second = Sighting{device, at->second.first, now};
  }
  if (!is_first) return;
  context_->parts.executor.PostAt(context_->parts.clock.Now() + kFlushEvery,
                                  [weak = weak_from_this()] {
                                    if (const auto self = weak.lock()) self->Flush();
                                  });
}

void ClientBook::Flush() {
  std::map<ClientId, Sighting> seen;
  {
    MutexLock lock(mu_);
    seen = std::exchange(seen_, {});
  }
  if (seen.empty()) return;
  const Status status = context_->Write([&](StoreEdit& edit) -> Status {
    for (const auto& [id, sighting] : seen) {
      const wire::CheckInRequest& request = sighting.device.request;
      FED_ASSIGN_OR_RETURN(ClientRecord row, RowOf(edit, sighting.device.caller, sighting.first));
      if (row.first_seen == absl::InfinitePast()) row.first_seen = sighting.first;
      row.last_seen = std::max(row.last_seen, sighting.last);
      row.sdk_version = request.abilities.sdk_version;
      row.platform = request.abilities.platform;
      row.examples = request.abilities.examples;
      row.labels = MergedLabels(row.labels, request.labels);
      FED_RETURN_IF_ERROR(edit.PutClient(row));
    }
    return Status();
  });
  if (!status.ok()) context_->parts.log.Warn("clients.not_written", {{"reason", status.message()}});
}

}  // namespace fed::server
