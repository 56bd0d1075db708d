// fed.v1.Participate.
#include "server/rpc/participation_service.h"

#include <memory>
#include <utility>

#include "proto/wire/convert.h"
#include "server/rpc/unary_call.h"

namespace fed::server {
namespace {

// What a held poll keeps: its place in the pool and its place among the calls that last.
struct HeldPoll {
  std::unique_ptr<Coordinator::Poll> poll;
  std::unique_ptr<LiveCalls::Registration> registration;
};

// An answer that writes `reply` from a value.
template <typename Reply, typename Message>
std::function<void(StatusOr<Reply>)> Replying(UnaryCall::Answer answer, Message* reply) {
  return [answer, reply](StatusOr<Reply> result) {
    answer(result.status(), [&] { wire::Encode(*result, *reply); });
  };
}

}  // namespace

grpc::ServerUnaryReactor* ParticipationService::CheckIn(grpc::CallbackServerContext* context,
                                                        const v1::CheckInRequest* request,
                                                        v1::CheckInReply* reply) {
  StatusOr<Caller> caller = door_.Admit(*context, "/fed.v1.Participate/CheckIn");
  if (!caller.ok()) return Refuse(caller.status());
  StatusOr<wire::CheckInRequest> decoded = wire::Decode(*request);
  if (!decoded.ok()) return Refuse(decoded.status());

  UnaryCall* const call = UnaryCall::New();
  const UnaryCall::Answer answer = call->answer();
  auto held = std::make_shared<HeldPoll>();
  held->registration = live_.Add(caller->id, answer);
  held->poll = coordinator_.CheckIn(*caller, *std::move(decoded),
                                    Replying<wire::CheckInReply>(answer, reply));
  call->Hold(std::move(held));
  return call;
}

grpc::ServerUnaryReactor* ParticipationService::Renew(grpc::CallbackServerContext* context,
                                                      const v1::RenewRequest* request,
                                                      v1::RenewReply* reply) {
  StatusOr<Caller> caller = door_.Admit(*context, "/fed.v1.Participate/Renew");
  if (!caller.ok()) return Refuse(caller.status());
  StatusOr<wire::RenewRequest> decoded = wire::Decode(*request);
  if (!decoded.ok()) return Refuse(decoded.status());

  UnaryCall* const call = UnaryCall::New();
  coordinator_.Renew(*caller, *std::move(decoded),
                     Replying<wire::RenewReply>(call->answer(), reply));
  return call;
}

grpc::ServerUnaryReactor* ParticipationService::ReportEvaluation(
    grpc::CallbackServerContext* context, const v1::ReportEvaluationRequest* request,
    v1::ReportEvaluationReply* reply) {
  StatusOr<Caller> caller = door_.Admit(*context, "/fed.v1.Participate/ReportEvaluation");
  if (!caller.ok()) return Refuse(caller.status());
  StatusOr<wire::EvaluationReport> decoded = wire::Decode(*request);
  if (!decoded.ok()) return Refuse(decoded.status());

  UnaryCall* const call = UnaryCall::New();
  coordinator_.ReportEvaluation(*caller, *std::move(decoded),
                                Replying<wire::EvaluationReply>(call->answer(), reply));
  return call;
}

}  // namespace fed::server
