// fed.v1.Enroll on the enrollment listener and fed.v1.Renewal on the main one.
#ifndef FED_SERVER_RPC_ENROLL_SERVICE_H_
#define FED_SERVER_RPC_ENROLL_SERVICE_H_

#include <functional>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/log.h"
#include "fed/v1/enroll.grpc.pb.h"
#include "server/rpc/caller.h"
#include "server/rpc/rate_limit.h"
#include "server/security/enrollment.h"

namespace fed::server {

// What both use. It all outlives them.
struct EnrollParts {
  Enrollment& enrollment;
  Executor& executor;  // keys, signatures and the store are not for gRPC's threads
  const Clock& clock;
  const Log& log;
  std::function<void(const Status&)> die;  // a commit's outcome is unknown
};

// Nobody here has an identity yet: bounded by rate and message size. Thread-safe.
class EnrollService final : public v1::Enroll::CallbackService {
 public:
  EnrollService(EnrollParts parts, RateLimit& rate) : parts_(parts), rate_(rate) {}

  grpc::ServerUnaryReactor* EnrollDevice(grpc::CallbackServerContext* context,
                                         const v1::EnrollDeviceRequest* request,
                                         v1::EnrollDeviceReply* reply) override;
  grpc::ServerUnaryReactor* Reenroll(grpc::CallbackServerContext* context,
                                     const v1::ReenrollRequest* request,
                                     v1::EnrollDeviceReply* reply) override;

 private:
  EnrollParts parts_;
  RateLimit& rate_;
};

class RenewalService final : public v1::Renewal::CallbackService {
 public:
  RenewalService(EnrollParts parts, const Doorkeeper& door) : parts_(parts), door_(door) {}

  grpc::ServerUnaryReactor* RenewCertificate(grpc::CallbackServerContext* context,
                                             const v1::RenewCertificateRequest* request,
                                             v1::EnrollDeviceReply* reply) override;

 private:
  EnrollParts parts_;
  const Doorkeeper& door_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_ENROLL_SERVICE_H_
