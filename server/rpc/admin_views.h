// What operators see, made from the store's rows and what only the running process knows.
#ifndef FED_SERVER_RPC_ADMIN_VIEWS_H_
#define FED_SERVER_RPC_ADMIN_VIEWS_H_

#include <string>

#include "fed/status.h"
#include "fed/v1/admin.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/store/store.h"

namespace fed::server {

// Thread-safe; blocks on the store. kNotFound names what there is none of.
class AdminViews {
 public:
  AdminViews(const Store& store, const Coordinator& coordinator)
      : store_(store), coordinator_(coordinator) {}

  StatusOr<v1::Job> Job(const JobId& job) const;
  StatusOr<v1::ListJobsReply> Jobs() const;
  StatusOr<v1::ShowJobReply> JobInFull(const JobId& job) const;

  StatusOr<v1::Round> Round(const JobId& job, RoundId round) const;
  StatusOr<v1::ListRoundsReply> Rounds(const JobId& job, std::int64_t limit) const;
  StatusOr<v1::ShowRoundReply> RoundInFull(const JobId& job, RoundId round) const;

  StatusOr<v1::Client> Client(const std::string& id_or_prefix) const;
  StatusOr<v1::ListClientsReply> Clients(std::int64_t limit) const;

  StatusOr<v1::Model> Model(const JobId& job, ModelVersion version) const;
  StatusOr<v1::ListModelsReply> Models(const JobId& job) const;

 private:
  const Store& store_;
  const Coordinator& coordinator_;
};

// The client of that id, or the only one whose id begins so (at least 8 characters).
StatusOr<ClientRecord> FindClient(const StoreView& view, const std::string& id_or_prefix);

}  // namespace fed::server

#endif  // FED_SERVER_RPC_ADMIN_VIEWS_H_
