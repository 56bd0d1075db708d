// Revoked identities: the store first, then memory, then whoever listens.
//
// Invariants:
//  1. An identity is in memory only once its revocation is on disk.
//  2. A listener hears of an identity once, and outside the lock: it may call back.
#include "server/security/revocations.h"

#include <limits>
#include <utility>

namespace fed::server {

StatusOr<std::unique_ptr<Revocations>> Revocations::Load(Store& store) {
  absl::flat_hash_set<std::string> revoked;
  FED_RETURN_IF_ERROR(store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const std::vector<ClientRecord> clients,
                         view.Clients(std::numeric_limits<std::int64_t>::max()));
    for (const ClientRecord& client : clients) {
      if (client.revoked) revoked.insert(client.id.value);
    }
    return Status();
  }));
  std::unique_ptr<Revocations> loaded(new Revocations(store, std::move(revoked)));
  return loaded;
}

bool Revocations::IsRevoked(const ClientId& id) const {
  MutexLock lock(mu_);
  return revoked_.contains(id.value);
}

Status Revocations::Revoke(const ClientId& id) {
  FED_RETURN_IF_ERROR(store_.Write([&](StoreEdit& edit) -> Status {
    FED_ASSIGN_OR_RETURN(ClientRecord client, edit.Client(id));
    client.revoked = true;
    return edit.PutClient(client);
  }));
  {
    MutexLock lock(mu_);
    if (!revoked_.insert(id.value).second) return Status();
  }
  for (const auto& listener : listeners_) listener(id);
  return Status();
}

void Revocations::OnRevoked(std::function<void(const ClientId&)> listener) {
  listeners_.push_back(std::move(listener));
}

}  // namespace fed::server
