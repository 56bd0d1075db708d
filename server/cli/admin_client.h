// fedctl's connection to the admin listener.
#ifndef FED_SERVER_CLI_ADMIN_CLIENT_H_
#define FED_SERVER_CLI_ADMIN_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "common/base/file.h"
#include "fed/status.h"
#include "fed/v1/admin.grpc.pb.h"
#include "grpcpp/client_context.h"

namespace fed::server {

struct AdminAddress {
  std::string server = "127.0.0.1:7445";
  std::string certs = "ca";  // folder with operator.pem, operator.key and root.pem
};

// Blocking calls with deadlines. Errors say what to do: a refused handshake reaches us as
// UNAVAILABLE whatever its cause, so the certificate is looked at, too.
class AdminClient {
 public:
  // kNotFound: a file is missing. Connects with the first call.
  static StatusOr<std::unique_ptr<AdminClient>> Connect(const AdminAddress& address);

  // `method` is one of the stub's unary calls: client.Call(&Stub::ListJobs, request).
  template <typename Request, typename Reply>
  StatusOr<Reply> Call(grpc::Status (v1::Admin::StubInterface::*method)(grpc::ClientContext*,
                                                                        const Request&, Reply*),
                       const Request& request) {
    grpc::ClientContext context;
    SetDeadline(context);
    Reply reply;
    const Status status = Told((stub_.get()->*method)(&context, request, &reply));
    if (!status.ok()) return status;
    return reply;
  }

  // The texts, then `model` (null: none) in pieces.
  StatusOr<v1::Job> CreateJob(const v1::CreateJobRequest::Begin& begin, const File* model);

  // Every piece goes to `sink` in order; the first also says version, size and digest. The file's
  // digest is checked: kDataLoss.
  Status DownloadModel(const v1::DownloadModelRequest& request,
                       const std::function<Status(const v1::ModelPiece&)>& sink);

  // Until the job has ended (OK) or `sink` says false.
  Status WatchJob(const std::string& job, const std::function<bool(const v1::JobEvent&)>& sink);

 private:
  AdminClient(std::unique_ptr<v1::Admin::StubInterface> stub, std::string hint)
      : stub_(std::move(stub)), hint_(std::move(hint)) {}

  static void SetDeadline(grpc::ClientContext& context);
  Status Told(const grpc::Status& status) const;

  std::unique_ptr<v1::Admin::StubInterface> stub_;
  std::string hint_;  // of an UNAVAILABLE
};

}  // namespace fed::server

#endif  // FED_SERVER_CLI_ADMIN_CLIENT_H_
