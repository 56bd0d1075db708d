// Keeps an assignment alive by signs of life with its progress, until told to stop.
#ifndef FED_CLIENT_SDK_SESSION_LEASE_H_
#define FED_CLIENT_SDK_SESSION_LEASE_H_

#include <functional>
#include <memory>

#include "client_sdk/session/session_context.h"
#include "client_sdk/session/training_signs.h"
#include "client_sdk/transport/transport.h"
#include "fed/status.h"
#include "proto/wire/participation.h"

namespace fed::client {

// On `events` only. Renews every renew_every from Start on for as long as it lives; nothing is
// renewed if that is zero. `lost` is called at most once: kAborted with the server's reason when
// the assignment no longer counts, or what the server says of the caller.
class Lease final : public std::enable_shared_from_this<Lease> {
 public:
  Lease(SessionContext& context, Transport& transport, const wire::Assignment& assignment,
        std::shared_ptr<TrainingSigns> signs, std::function<void(Status)> lost);

  void Start();
  void SetStage(wire::Stage stage) { stage_ = stage; }

 private:
  void Wait();
  void Renew();
  void OnReply(StatusOr<wire::RenewReply> reply);
  void Lose(Status why);

  SessionContext& context_;
  Transport& transport_;
  const wire::AssignmentRef ref_;
  const absl::Duration renew_every_;
  const std::shared_ptr<TrainingSigns> signs_;
  std::function<void(Status)> lost_;
  wire::Stage stage_ = wire::Stage::kDownloading;
  std::unique_ptr<Call> call_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_LEASE_H_
