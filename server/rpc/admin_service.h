// fed.v1.Admin: what operators may do. Translates, decides nothing; every call's work is done on
// the executor, since it may block on the store.
#ifndef FED_SERVER_RPC_ADMIN_SERVICE_H_
#define FED_SERVER_RPC_ADMIN_SERVICE_H_

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/log.h"
#include "fed/v1/admin.grpc.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/coordinate/version_catalog.h"
#include "server/rpc/admin_views.h"
#include "server/rpc/caller.h"
#include "server/rpc/live_calls.h"
#include "server/security/enrollment.h"
#include "server/security/revocations.h"
#include "server/store/blob_folder.h"
#include "server/store/store.h"

namespace fed::server {

// All of it outlives the service.
struct AdminParts {
  const Doorkeeper& door;
  LiveCalls& live;
  Coordinator& coordinator;
  VersionCatalog& catalog;
  Store& store;
  BlobFolder& blobs;
  Revocations& revocations;
  Enrollment& enrollment;
  Executor& executor;
  const Clock& clock;
  const Log& log;
  absl::Duration idle_timeout = absl::Seconds(60);
  std::int64_t piece_bytes = 1 << 20;
};

// Thread-safe.
class AdminService final : public v1::Admin::CallbackService {
 public:
  explicit AdminService(AdminParts parts) : parts_(parts), views_(parts.store, parts.coordinator) {}

  grpc::ServerReadReactor<v1::CreateJobRequest>* CreateJob(grpc::CallbackServerContext* context,
                                                           v1::Job* reply) override;
  grpc::ServerUnaryReactor* StartJob(grpc::CallbackServerContext* context,
                                     const v1::JobRequest* request, v1::Job* reply) override;
  grpc::ServerUnaryReactor* PauseJob(grpc::CallbackServerContext* context,
                                     const v1::JobRequest* request, v1::Job* reply) override;
  grpc::ServerUnaryReactor* ResumeJob(grpc::CallbackServerContext* context,
                                      const v1::JobRequest* request, v1::Job* reply) override;
  grpc::ServerUnaryReactor* StopJob(grpc::CallbackServerContext* context,
                                    const v1::JobRequest* request, v1::Job* reply) override;
  grpc::ServerUnaryReactor* ListJobs(grpc::CallbackServerContext* context,
                                     const v1::ListJobsRequest* request,
                                     v1::ListJobsReply* reply) override;
  grpc::ServerUnaryReactor* ShowJob(grpc::CallbackServerContext* context,
                                    const v1::JobRequest* request,
                                    v1::ShowJobReply* reply) override;
  grpc::ServerUnaryReactor* ListRounds(grpc::CallbackServerContext* context,
                                       const v1::ListRoundsRequest* request,
                                       v1::ListRoundsReply* reply) override;
  grpc::ServerUnaryReactor* ShowRound(grpc::CallbackServerContext* context,
                                      const v1::ShowRoundRequest* request,
                                      v1::ShowRoundReply* reply) override;
  grpc::ServerUnaryReactor* ListClients(grpc::CallbackServerContext* context,
                                        const v1::ListClientsRequest* request,
                                        v1::ListClientsReply* reply) override;
  grpc::ServerUnaryReactor* ShowClient(grpc::CallbackServerContext* context,
                                       const v1::ClientRequest* request,
                                       v1::Client* reply) override;
  grpc::ServerUnaryReactor* RevokeClient(grpc::CallbackServerContext* context,
                                         const v1::ClientRequest* request,
                                         v1::Client* reply) override;
  grpc::ServerUnaryReactor* CreateEnrollToken(grpc::CallbackServerContext* context,
                                              const v1::CreateEnrollTokenRequest* request,
                                              v1::CreateEnrollTokenReply* reply) override;
  grpc::ServerUnaryReactor* ListModels(grpc::CallbackServerContext* context,
                                       const v1::ListModelsRequest* request,
                                       v1::ListModelsReply* reply) override;
  grpc::ServerWriteReactor<v1::ModelPiece>* DownloadModel(
      grpc::CallbackServerContext* context, const v1::DownloadModelRequest* request) override;
  grpc::ServerWriteReactor<v1::JobEvent>* WatchJob(grpc::CallbackServerContext* context,
                                                   const v1::JobRequest* request) override;

 private:
  // Admits the caller and runs `work(request)` on the executor; its value is the reply.
  template <typename Request, typename Reply, typename Work>
  grpc::ServerUnaryReactor* Serve(grpc::CallbackServerContext* context, absl::string_view method,
                                  const Request& request, Reply* reply, Work work);
  // One of the coordinator's commands on a job, answered with the job as it then is.
  template <typename Command>
  grpc::ServerUnaryReactor* Order(grpc::CallbackServerContext* context, absl::string_view method,
                                  const v1::JobRequest& request, v1::Job* reply, Command command);

  StatusOr<v1::Client> Revoke(const std::string& id_or_prefix);
  StatusOr<v1::CreateEnrollTokenReply> CreateToken(const v1::CreateEnrollTokenRequest& request);

  AdminParts parts_;
  AdminViews views_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_ADMIN_SERVICE_H_
