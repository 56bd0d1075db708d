// Certificates for tokens, and new ones for old ones.
#include "server/rpc/enroll_service.h"

#include <string>
#include <utility>

#include "proto/wire/convert.h"
#include "server/rpc/unary_call.h"

namespace fed::server {
namespace {

void Encode(const Admission& admission, v1::EnrollDeviceReply& reply) {
  reply.set_certificate(admission.certificate);
  for (const std::string& link : admission.chain) reply.add_chain(link);
  reply.set_id(admission.caller.id.value);
  reply.set_role(std::string(RoleName(admission.caller.role)));
}

// Runs `work` on the executor and answers with what it gives.
UnaryCall* Later(const EnrollParts& parts, v1::EnrollDeviceReply* reply, const char* event,
                 std::function<StatusOr<Admission>()> work) {
  UnaryCall* const call = UnaryCall::New();
  parts.executor.Post([parts, reply, event, work = std::move(work), answer = call->answer()] {
    const StatusOr<Admission> admission = work();
    if (admission.ok()) {
      parts.log.Info(event, {{"client", ShortId(admission->caller.id.value)},
                             {"role", RoleName(admission->caller.role)}});
    } else if (admission.status().code() == StatusCode::kUnknown) {
      parts.die(admission.status());
      return;
    } else {
      parts.log.Warn("enrollment.refused", {{"reason", admission.status().message()}});
    }
    answer(admission.status(), [&] { Encode(*admission, *reply); });
  });
  return call;
}

}  // namespace

grpc::ServerUnaryReactor* EnrollService::EnrollDevice(grpc::CallbackServerContext* context,
                                                      const v1::EnrollDeviceRequest* request,
                                                      v1::EnrollDeviceReply* reply) {
  if (const Status admitted = rate_.Admit(context->peer(), parts_.clock.Now()); !admitted.ok()) {
    return Refuse(admitted);
  }
  EnrollmentRequest asked;
  asked.token_secret = request->token();
  asked.csr = request->csr();
  asked.name = request->name();
  asked.labels = {request->labels().begin(), request->labels().end()};
  return Later(parts_, reply, "client.enrolled", [parts = parts_, asked = std::move(asked)] {
    return parts.enrollment.Enroll(asked, parts.clock.WallNow());
  });
}

grpc::ServerUnaryReactor* EnrollService::Reenroll(grpc::CallbackServerContext* context,
                                                  const v1::ReenrollRequest* request,
                                                  v1::EnrollDeviceReply* reply) {
  if (const Status admitted = rate_.Admit(context->peer(), parts_.clock.Now()); !admitted.ok()) {
    return Refuse(admitted);
  }
  ReenrollmentRequest asked{request->expired_certificate(), request->csr(),
                            request->old_key_signature()};
  return Later(parts_, reply, "client.reenrolled", [parts = parts_, asked = std::move(asked)] {
    return parts.enrollment.Reenroll(asked, parts.clock.WallNow());
  });
}

grpc::ServerUnaryReactor* RenewalService::RenewCertificate(
    grpc::CallbackServerContext* context, const v1::RenewCertificateRequest* request,
    v1::EnrollDeviceReply* reply) {
  const StatusOr<Caller> caller = door_.Admit(*context, "/fed.v1.Renewal/RenewCertificate");
  if (!caller.ok()) return Refuse(caller.status());
  return Later(parts_, reply, "client.renewed",
               [parts = parts_, who = *caller, csr = request->csr()] {
                 return parts.enrollment.Renew(who, csr, parts.clock.WallNow());
               });
}

}  // namespace fed::server
