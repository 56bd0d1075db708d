// fed.v1.Participate: translates, decides nothing.
#ifndef FED_SERVER_RPC_PARTICIPATION_SERVICE_H_
#define FED_SERVER_RPC_PARTICIPATION_SERVICE_H_

#include "fed/v1/participate.grpc.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/rpc/caller.h"
#include "server/rpc/live_calls.h"

namespace fed::server {

// Thread-safe; what it refers to outlives it.
class ParticipationService final : public v1::Participate::CallbackService {
 public:
  ParticipationService(const Doorkeeper& door, LiveCalls& live, Coordinator& coordinator)
      : door_(door), live_(live), coordinator_(coordinator) {}

  grpc::ServerUnaryReactor* CheckIn(grpc::CallbackServerContext* context,
                                    const v1::CheckInRequest* request,
                                    v1::CheckInReply* reply) override;
  grpc::ServerUnaryReactor* Renew(grpc::CallbackServerContext* context,
                                  const v1::RenewRequest* request, v1::RenewReply* reply) override;
  grpc::ServerUnaryReactor* ReportEvaluation(grpc::CallbackServerContext* context,
                                             const v1::ReportEvaluationRequest* request,
                                             v1::ReportEvaluationReply* reply) override;

 private:
  const Doorkeeper& door_;
  LiveCalls& live_;
  Coordinator& coordinator_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_PARTICIPATION_SERVICE_H_
