// All that one device does between Start and its end: who it is, waiting for work, work, again.
#ifndef FED_CLIENT_SDK_SESSION_DEVICE_SESSION_H_
#define FED_CLIENT_SDK_SESSION_DEVICE_SESSION_H_

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "client_sdk/session/delivery.h"
#include "client_sdk/session/identity.h"
#include "client_sdk/session/local_training.h"
#include "client_sdk/session/model_cache.h"
#include "client_sdk/session/outbox.h"
#include "client_sdk/session/participation.h"
#include "client_sdk/session/session_context.h"
#include "client_sdk/transport/transport.h"
#include "fed/status.h"
#include "proto/wire/participation.h"

namespace fed::client {

//   Start -> identity -> connect -> state on disk -> what lies unsent in the outbox
//              ^                                           |
//              |                                           v
//              +--- pause --- come back <--- check in <--- eligible?
//              +--- participation <-------------'
//
// A turn begins at identity and ends in the next one, at once or after a pause; any error but those
// of Verdict::kGiveUp only makes the pause longer. On `events` only, but for the constructor.
class DeviceSession final : public std::enable_shared_from_this<DeviceSession> {
 public:
  // `factory` and what is in `parts` outlive it. `ended` is called once after Start, when nothing
  // of this session runs any more, with what Client::Run returns.
  DeviceSession(const SessionContext::Parts& parts, TransportFactory& factory,
                std::function<void(Status)> ended);

  void Start();
  // Ends it with kCancelled, soon: training stops between two batches.
  void Stop();

 private:
  using Refs = std::set<wire::AssignmentRef>;
  struct State {  // on disk
    std::unique_ptr<Outbox> outbox;
    std::unique_ptr<ModelCache> cache;
  };

  void Turn();
  void OnIdentity(StatusOr<bool> changed);
  Status Connect();
  void OpenState();
  void OnState(StatusOr<std::shared_ptr<State>> state);
  void SendUnsent();
  void OnDelivered(const Status& status);
  void AskForWork();
  wire::CheckInRequest CheckInRequest() const;
  void OnCheckIn(StatusOr<wire::CheckInReply> reply);
  void OnSettled(const Status& status, const wire::CheckInReply& reply);
  void OnComeBack(const wire::ComeBack& come_back);
  void Participate(const wire::Assignment& assignment);
  void OnParticipated(const Status& status);

  void Pause(absl::Duration wait);
  void PauseAfter(const Status& status, absl::string_view event);
  void End(Status status);
  void Report(ClientProgress::Stage stage, const std::string& job) const;

  const std::shared_ptr<SessionContext> context_;  // shared with tasks that outlive us
  TransportFactory& factory_;
  std::function<void(Status)> ended_;
  bool ending_ = false;
  Backoff backoff_;
  const std::shared_ptr<Identity> identity_;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Outbox> outbox_;
  std::unique_ptr<ModelCache> cache_;
  std::unique_ptr<LocalTraining> training_;
  Refs send_first_;  // unsent updates of an earlier life, before any check-in
  std::shared_ptr<Delivery> delivery_;
  std::shared_ptr<Participation> participation_;
  std::unique_ptr<Call> call_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_DEVICE_SESSION_H_
