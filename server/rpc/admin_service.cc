// fed.v1.Admin.
#include "server/rpc/admin_service.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "proto/wire/convert.h"
#include "server/rpc/file_stream.h"
#include "server/rpc/job_upload.h"
#include "server/rpc/job_watch.h"
#include "server/rpc/unary_call.h"

namespace fed::server {

template <typename Request, typename Reply, typename Work>
grpc::ServerUnaryReactor* AdminService::Serve(grpc::CallbackServerContext* context,
                                              absl::string_view method, const Request& request,
                                              Reply* reply, Work work) {
  const StatusOr<Caller> caller =
      parts_.door.Admit(*context, absl::StrCat("/fed.v1.Admin/", method));
  if (!caller.ok()) return Refuse(caller.status());
  UnaryCall* const call = UnaryCall::New();
  // The request is copied: a caller that goes away takes the message along.
  parts_.executor.Post([request, reply, work = std::move(work), answer = call->answer()] {
    StatusOr<Reply> result = work(request);
    answer(result.status(), [&] { *reply = *std::move(result); });
  });
  return call;
}

template <typename Command>
grpc::ServerUnaryReactor* AdminService::Order(grpc::CallbackServerContext* context,
                                              absl::string_view method,
                                              const v1::JobRequest& request, v1::Job* reply,
                                              Command command) {
  return Serve(
      context, method, request, reply,
      [this, command = std::move(command)](const v1::JobRequest& asked) -> StatusOr<v1::Job> {
        FED_ASSIGN_OR_RETURN(const JobId job, wire::DecodeJobId(asked.job()));
        FED_RETURN_IF_ERROR(command(job).status());
        return views_.Job(job);
      });
}

grpc::ServerReadReactor<v1::CreateJobRequest>* AdminService::CreateJob(
    grpc::CallbackServerContext* context, v1::Job* reply) {
  const StatusOr<Caller> caller = parts_.door.Admit(*context, "/fed.v1.Admin/CreateJob");
  if (!caller.ok()) return JobUpload::Refuse(caller.status());
  return JobUpload::Start({parts_.coordinator, parts_.blobs, views_, parts_.executor, parts_.clock,
                           parts_.idle_timeout},
                          reply);
}

grpc::ServerUnaryReactor* AdminService::StartJob(grpc::CallbackServerContext* context,
                                                 const v1::JobRequest* request, v1::Job* reply) {
  return Order(context, "StartJob", *request, reply,
               [this](const JobId& job) { return parts_.coordinator.StartJob(job); });
}

grpc::ServerUnaryReactor* AdminService::PauseJob(grpc::CallbackServerContext* context,
                                                 const v1::JobRequest* request, v1::Job* reply) {
  return Order(context, "PauseJob", *request, reply, [this](const JobId& job) {
    return parts_.coordinator.PauseJob(job, "paused by an operator");
  });
}

grpc::ServerUnaryReactor* AdminService::ResumeJob(grpc::CallbackServerContext* context,
                                                  const v1::JobRequest* request, v1::Job* reply) {
  return Order(context, "ResumeJob", *request, reply,
               [this](const JobId& job) { return parts_.coordinator.ResumeJob(job); });
}

grpc::ServerUnaryReactor* AdminService::StopJob(grpc::CallbackServerContext* context,
                                                const v1::JobRequest* request, v1::Job* reply) {
  return Order(context, "StopJob", *request, reply, [this](const JobId& job) {
    return parts_.coordinator.StopJob(job, "stopped by an operator");
  });
}

grpc::ServerUnaryReactor* AdminService::ListJobs(grpc::CallbackServerContext* context,
                                                 const v1::ListJobsRequest* request,
                                                 v1::ListJobsReply* reply) {
  return Serve(context, "ListJobs", *request, reply,
               [this](const v1::ListJobsRequest&) { return views_.Jobs(); });
}

grpc::ServerUnaryReactor* AdminService::ShowJob(grpc::CallbackServerContext* context,
                                                const v1::JobRequest* request,
                                                v1::ShowJobReply* reply) {
  return Serve(context, "ShowJob", *request, reply,
               [this](const v1::JobRequest& asked) -> StatusOr<v1::ShowJobReply> {
                 FED_ASSIGN_OR_RETURN(const JobId job, wire::DecodeJobId(asked.job()));
                 return views_.JobInFull(job);
               });
}

grpc::ServerUnaryReactor* AdminService::ListRounds(grpc::CallbackServerContext* context,
                                                   const v1::ListRoundsRequest* request,
                                                   v1::ListRoundsReply* reply) {
  return Serve(context, "ListRounds", *request, reply,
               [this](const v1::ListRoundsRequest& asked) -> StatusOr<v1::ListRoundsReply> {
                 FED_ASSIGN_OR_RETURN(const JobId job, wire::DecodeJobId(asked.job()));
                 return views_.Rounds(job, asked.limit());
               });
}

grpc::ServerUnaryReactor* AdminService::ShowRound(grpc::CallbackServerContext* context,
                                                  const v1::ShowRoundRequest* request,
                                                  v1::ShowRoundReply* reply) {
  return Serve(context, "ShowRound", *request, reply,
               [this](const v1::ShowRoundRequest& asked) -> StatusOr<v1::ShowRoundReply> {
                 FED_ASSIGN_OR_RETURN(const JobId job, wire::DecodeJobId(asked.job()));
                 return views_.RoundInFull(job, RoundId{asked.round()});
               });
}

grpc::ServerUnaryReactor* AdminService::ListClients(grpc::CallbackServerContext* context,
                                                    const v1::ListClientsRequest* request,
                                                    v1::ListClientsReply* reply) {
  return Serve(
      context, "ListClients", *request, reply,
      [this](const v1::ListClientsRequest& asked) { return views_.Clients(asked.limit()); });
}

grpc::ServerUnaryReactor* AdminService::ShowClient(grpc::CallbackServerContext* context,
                                                   const v1::ClientRequest* request,
                                                   v1::Client* reply) {
  return Serve(context, "ShowClient", *request, reply,
               [this](const v1::ClientRequest& asked) { return views_.Client(asked.id()); });
}

grpc::ServerUnaryReactor* AdminService::RevokeClient(grpc::CallbackServerContext* context,
                                                     const v1::ClientRequest* request,
                                                     v1::Client* reply) {
  return Serve(context, "RevokeClient", *request, reply,
               [this](const v1::ClientRequest& asked) { return Revoke(asked.id()); });
}

StatusOr<v1::Client> AdminService::Revoke(const std::string& id_or_prefix) {
  ClientId id;
  FED_RETURN_IF_ERROR(parts_.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const ClientRecord client, FindClient(view, id_or_prefix));
    id = client.id;
    return Status();
  }));
  FED_RETURN_IF_ERROR(parts_.revocations.Revoke(id));
  parts_.log.Info("client.revoked", {{"client", ShortId(id.value)}});
  return views_.Client(id.value);
}

grpc::ServerUnaryReactor* AdminService::CreateEnrollToken(
    grpc::CallbackServerContext* context, const v1::CreateEnrollTokenRequest* request,
    v1::CreateEnrollTokenReply* reply) {
  return Serve(context, "CreateEnrollToken", *request, reply,
               [this](const v1::CreateEnrollTokenRequest& asked) { return CreateToken(asked); });
}

StatusOr<v1::CreateEnrollTokenReply> AdminService::CreateToken(
    const v1::CreateEnrollTokenRequest& request) {
  NewToken token;
  FED_ASSIGN_OR_RETURN(token.role, RoleFromName(request.role()));
  token.uses = request.uses();
  token.life = absl::Milliseconds(request.ttl_ms());
  token.ids_from_names = request.ids_from_names();
  token.labels = {request.labels().begin(), request.labels().end()};
  FED_RETURN_IF_ERROR(wire::CheckLabels(token.labels));
  v1::CreateEnrollTokenReply reply;
  FED_ASSIGN_OR_RETURN(*reply.mutable_token(),
                       parts_.enrollment.CreateToken(token, parts_.clock.WallNow()));
  parts_.log.Info("token.created", {{"role", request.role()}, {"uses", token.uses}});
  return reply;
}

grpc::ServerUnaryReactor* AdminService::ListModels(grpc::CallbackServerContext* context,
                                                   const v1::ListModelsRequest* request,
                                                   v1::ListModelsReply* reply) {
  return Serve(context, "ListModels", *request, reply,
               [this](const v1::ListModelsRequest& asked) -> StatusOr<v1::ListModelsReply> {
                 FED_ASSIGN_OR_RETURN(const JobId job, wire::DecodeJobId(asked.job()));
                 return views_.Models(job);
               });
}

grpc::ServerWriteReactor<v1::ModelPiece>* AdminService::DownloadModel(
    grpc::CallbackServerContext* context, const v1::DownloadModelRequest* request) {
  using ModelStream = FileStream<v1::ModelPiece>;
  const StatusOr<Caller> caller = parts_.door.Admit(*context, "/fed.v1.Admin/DownloadModel");
  if (!caller.ok()) return ModelStream::Refuse(caller.status());
  const StatusOr<JobId> job = wire::DecodeJobId(request->job());
  if (!job.ok()) return ModelStream::Refuse(job.status());

  const std::string group = request->group().empty() ? "model" : request->group();
  auto first = std::make_shared<v1::ModelPiece>();  // what only the first piece says
  return ModelStream::Start(
      context,
      {parts_.executor, parts_.clock, parts_.live, caller->id, parts_.piece_bytes,
       parts_.idle_timeout},
      [this, job = *job, group, asked = request->version(), first]() -> StatusOr<FileParts> {
        ModelVersion version{asked};
        if (asked < 0) {
          FED_ASSIGN_OR_RETURN(const v1::Job view, views_.Job(job));
          version = ModelVersion{view.latest_version()};
        }
        FED_ASSIGN_OR_RETURN(const auto manifest, parts_.catalog.ManifestOf(job, version));
        const ManifestFile* const file = manifest->Find(group);
        if (file == nullptr) {
          return Status(StatusCode::kNotFound,
                        absl::StrCat("version ", version.value, " has no file '", group, "'"));
        }
        first->set_version(version.value);
        first->set_total_bytes(file->bytes);
        first->set_digest(file->digest.bytes.data(), file->digest.bytes.size());
        FileParts parts;
        FED_ASSIGN_OR_RETURN(parts.file, parts_.catalog.OpenFile(job, version, group));
        parts.ranges = {{0, file->bytes}};
        return parts;
      },
      [first](std::int64_t offset, std::string bytes, v1::ModelPiece& piece) {
        if (offset == 0) piece = *first;
        piece.set_data(std::move(bytes));
      });
}

grpc::ServerWriteReactor<v1::JobEvent>* AdminService::WatchJob(grpc::CallbackServerContext* context,
                                                               const v1::JobRequest* request) {
  const StatusOr<Caller> caller = parts_.door.Admit(*context, "/fed.v1.Admin/WatchJob");
  if (!caller.ok()) return JobWatch::Refuse(caller.status());
  const StatusOr<JobId> job = wire::DecodeJobId(request->job());
  if (!job.ok()) return JobWatch::Refuse(job.status());
  return JobWatch::Start({parts_.coordinator, views_, parts_.executor, parts_.live}, caller->id,
                         *job);
}

}  // namespace fed::server
