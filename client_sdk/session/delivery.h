// Sends one update from the outbox until the server has it, or will never take it.
#ifndef FED_CLIENT_SDK_SESSION_DELIVERY_H_
#define FED_CLIENT_SDK_SESSION_DELIVERY_H_

#include <functional>
#include <memory>

#include "client_sdk/session/outbox.h"
#include "client_sdk/session/session_context.h"
#include "client_sdk/session/training_signs.h"
#include "client_sdk/transport/transport.h"
#include "fed/status.h"

namespace fed::client {

// On `events` only: Start once. `done` is called once, unless Stop was:
//   OK         taken (its receipt is in the outbox), or refused for good (it has left the outbox)
//   kAborted   its round has ended or another stream took over: a check-in tells what became of it
//   else       who the caller is, or the outbox's own files: the update stays there
class Delivery final : public std::enable_shared_from_this<Delivery> {
 public:
  using Done = std::function<void(Status)>;

  Delivery(SessionContext& context, Transport& transport, Outbox& outbox, wire::AssignmentRef ref,
           std::shared_ptr<TrainingSigns> signs, Done done);

  void Start();
  void Stop();

 private:
  void Send();
  void OnReply(StatusOr<wire::UploadReply> reply);
  void OnReceipt(const wire::UploadReceipt& receipt);
  void OnError(const Status& status);
  void DropIt(const Status& why);
  void SendAgainAfter(absl::Duration wait, const std::string& why);
  void Finish(Status status);

  SessionContext& context_;
  Transport& transport_;
  Outbox& outbox_;
  const wire::AssignmentRef ref_;
  const std::shared_ptr<TrainingSigns> signs_;
  Done done_;
  Backoff backoff_;
  wire::UploadBegin begin_;
  std::shared_ptr<File> file_;  // shared with the transport, which may still read when we are gone
  std::unique_ptr<Call> call_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_DELIVERY_H_
