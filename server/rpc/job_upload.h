// CreateJob's stream: the texts, then the initial model's bytes, straight into a blob's draft.
#ifndef FED_SERVER_RPC_JOB_UPLOAD_H_
#define FED_SERVER_RPC_JOB_UPLOAD_H_

#include <cstdint>
#include <memory>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "fed/v1/admin.pb.h"
#include "grpcpp/support/server_callback.h"
#include "server/coordinate/coordinator.h"
#include "server/rpc/admin_views.h"
#include "server/rpc/idle_timer.h"
#include "server/rpc/stream_line.h"
#include "server/store/blob_folder.h"

namespace fed::server {

// The state of one stream. One message at a time: it is read, taken in on the executor, and only
// then the next is read; so nothing here is used by two threads at once, but the line.
class JobUpload : public std::enable_shared_from_this<JobUpload> {
 public:
  using Reactor = grpc::ServerReadReactor<v1::CreateJobRequest>;
  struct Parts {
    Coordinator& coordinator;
    BlobFolder& blobs;
    const AdminViews& views;
    Executor& executor;
    const Clock& clock;
    absl::Duration idle_timeout;
  };

  static Reactor* Start(const Parts& parts, v1::Job* reply);
  static Reactor* Refuse(const Status& status);

 private:
  class CallReactor;

  JobUpload(CallReactor* reactor, const Parts& parts, v1::Job* reply);

  void Read(bool ok);
  Status Take();
  Status TakeBegin();
  Status TakeModel();
  void Create();

  StreamLine<CallReactor> line_;
  const Parts parts_;
  v1::Job* const reply_;
  std::unique_ptr<IdleTimer> idle_;
  v1::CreateJobRequest request_;
  bool begun_ = false;
  JobDraft draft_;
  std::int64_t model_bytes_ = 0;  // announced
  std::int64_t written_ = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_JOB_UPLOAD_H_
