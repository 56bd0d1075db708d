// WatchJob's stream: what happens in a job, until it has ended.
#ifndef FED_SERVER_RPC_JOB_WATCH_H_
#define FED_SERVER_RPC_JOB_WATCH_H_

#include <deque>
#include <memory>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "fed/v1/admin.pb.h"
#include "grpcpp/support/server_callback.h"
#include "server/coordinate/coordinator.h"
#include "server/rpc/admin_views.h"
#include "server/rpc/live_calls.h"
#include "server/rpc/stream_line.h"

namespace fed::server {

// The state of one stream. A watcher that reads slowly loses the oldest progress of its queue,
// never the news of a round's or the job's end, and never more memory than the queue.
class JobWatch : public std::enable_shared_from_this<JobWatch> {
 public:
  using Reactor = grpc::ServerWriteReactor<v1::JobEvent>;
  struct Parts {
    Coordinator& coordinator;
    const AdminViews& views;
    Executor& executor;
    LiveCalls& live;
  };

  // The first event is the job as it is now.
  static Reactor* Start(const Parts& parts, const ClientId& caller, const JobId& job);
  static Reactor* Refuse(const Status& status);

 private:
  class CallReactor;

  JobWatch(CallReactor* reactor, const Parts& parts, const JobId& job);

  void Begin();
  void Changed(const Coordinator::Change& change);
  StatusOr<v1::JobEvent> EventOf(const Coordinator::Change& change) const;
  void Send(v1::JobEvent event);
  void WriteNext();
  void Written(bool ok);
  void Over();

  StreamLine<CallReactor> line_;
  const Parts parts_;
  const JobId job_;
  std::unique_ptr<LiveCalls::Registration> registration_;
  Mutex mu_;
  std::unique_ptr<Coordinator::Watch> watch_ FED_GUARDED_BY(mu_);
  std::deque<v1::JobEvent> queue_ FED_GUARDED_BY(mu_);
  bool writing_ FED_GUARDED_BY(mu_) = false;
  bool over_ FED_GUARDED_BY(mu_) = false;  // the job has ended: finish when the queue is empty
  v1::JobEvent event_;                     // read by gRPC while a write is on its way
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_JOB_WATCH_H_
