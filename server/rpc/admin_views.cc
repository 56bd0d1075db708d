// What operators see of jobs, clients and models. Rounds: admin_round_views.cc.
#include "server/rpc/admin_views.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/round/job_spec.h"
#include "server/rpc/version_scalars.h"

namespace fed::server {
namespace {

constexpr std::size_t kShortestPrefix = 8;
constexpr std::int64_t kDefaultClients = 10'000;

std::int64_t Millis(absl::Time time) {
  return time == absl::InfinitePast() || time == absl::InfiniteFuture() ? 0
                                                                        : absl::ToUnixMillis(time);
}

v1::JobState StateOf(JobState state) {
  switch (state) {
    case JobState::kDraft:
      return v1::JOB_STATE_DRAFT;
    case JobState::kRunning:
      return v1::JOB_STATE_RUNNING;
    case JobState::kPaused:
      return v1::JOB_STATE_PAUSED;
    case JobState::kCompleted:
      return v1::JOB_STATE_COMPLETED;
    case JobState::kStopped:
      return v1::JOB_STATE_STOPPED;
  }
  return v1::JOB_STATE_UNSPECIFIED;
}

StatusOr<v1::Job> ViewOf(const StoreView& view, const JobRecord& job, const LiveJob& live) {
  FED_ASSIGN_OR_RETURN(const JobSpec spec, ParseJobSpec(job.spec, job.spec_source));
  FED_ASSIGN_OR_RETURN(const std::int64_t published,
                       view.CountRounds(job.id, RoundState::kPublished));
  FED_ASSIGN_OR_RETURN(const ModelRecord latest, view.LatestModel(job.id));
  v1::Job out;
  out.set_id(job.id.value);
  out.set_state(StateOf(job.state));
  out.set_reason(job.reason);
  out.set_rounds_done(published);
  out.set_rounds_planned(spec.rounds.count);
  out.set_latest_version(latest.version.value);
  out.set_open_round(live.open_round.value);
  out.set_devices_waiting(live.waiting);
  out.set_created_ms(Millis(job.created_at));
  out.set_waiting_for(live.waiting_for);
  return out;
}

v1::Client ViewOf(const ClientRecord& client, bool waiting) {
  v1::Client out;
  out.set_id(client.id.value);
  out.set_role(std::string(RoleName(client.role)));
  out.set_name(client.name);
  out.mutable_labels()->insert(client.labels.begin(), client.labels.end());
  out.set_sdk_version(client.sdk_version);
  out.set_platform(client.platform);
  out.set_examples(client.examples);
  out.set_enrolled_ms(Millis(client.enrolled_at));
  out.set_first_seen_ms(Millis(client.first_seen));
  out.set_last_seen_ms(Millis(client.last_seen));
  out.set_rounds(client.rounds);
  out.set_failures(client.failures);
  out.set_revoked(client.revoked);
  out.set_waiting(waiting);
  return out;
}

StatusOr<v1::Model> ViewOf(const StoreView& view, const ModelRecord& model) {
  v1::Model out;
  out.set_version(model.version.value);
  out.set_round(model.made_by.value);
  for (const auto& [group, file] : model.files) {
    out.set_bytes(out.bytes() + file.bytes);
    if (group == "model") out.set_digest(file.digest);
  }
  out.set_created_ms(Millis(model.created_at));
  out.set_kept(model.kept);
  FED_ASSIGN_OR_RETURN(const Scalars scalars, ScalarsOfVersion(view, model.job, model.version));
  out.mutable_evaluation()->insert(scalars.begin(), scalars.end());
  return out;
}

// The newest version that has been evaluated, and its scalars.
Status PutLatestMetrics(const StoreView& view, const JobId& job, v1::ShowJobReply& reply) {
  FED_ASSIGN_OR_RETURN(const std::vector<ModelRecord> models, view.Models(job));
  for (auto model = models.rbegin(); model != models.rend(); ++model) {
    FED_ASSIGN_OR_RETURN(const Scalars scalars, ScalarsOfVersion(view, job, model->version));
    if (scalars.empty()) continue;
    reply.set_evaluated_version(model->version.value);
    reply.mutable_latest_metrics()->insert(scalars.begin(), scalars.end());
    return Status();
  }
  return Status();
}

}  // namespace

StatusOr<ClientRecord> FindClient(const StoreView& view, const std::string& id_or_prefix) {
  StatusOr<ClientRecord> exact = view.Client(ClientId{id_or_prefix});
  if (exact.ok() || exact.status().code() != StatusCode::kNotFound) return exact;
  if (id_or_prefix.size() < kShortestPrefix) {
    return Status(
        StatusCode::kInvalidArgument,
        absl::StrCat("'", id_or_prefix, "': give a client's whole id or at least its first ",
                     kShortestPrefix, " characters"));
  }
  FED_ASSIGN_OR_RETURN(std::vector<ClientRecord> fitting, view.ClientsByPrefix(id_or_prefix));
  if (fitting.size() == 1) return std::move(fitting.front());
  if (fitting.empty()) {
    return Status(StatusCode::kNotFound, absl::StrCat("no client has the id '", id_or_prefix, "'"));
  }
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat(fitting.size(), " clients' ids begin with '", id_or_prefix,
                             "'; give more of it"));
}

StatusOr<v1::Job> AdminViews::Job(const JobId& job) const {
  FED_ASSIGN_OR_RETURN(const LiveJob live, coordinator_.Live(job));
  v1::Job out;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const JobRecord record, view.Job(job));
    FED_ASSIGN_OR_RETURN(out, ViewOf(view, record, live));
    return Status();
  }));
  return out;
}

StatusOr<v1::ListJobsReply> AdminViews::Jobs() const {
  std::vector<JobId> jobs;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const std::vector<JobRecord> records, view.Jobs());
    for (const JobRecord& record : records) jobs.push_back(record.id);
    return Status();
  }));
  v1::ListJobsReply reply;
  for (const JobId& job : jobs) {
    FED_ASSIGN_OR_RETURN(*reply.add_jobs(), Job(job));
  }
  return reply;
}

StatusOr<v1::ShowJobReply> AdminViews::JobInFull(const JobId& job) const {
  v1::ShowJobReply reply;
  FED_ASSIGN_OR_RETURN(*reply.mutable_job(), Job(job));
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const JobRecord record, view.Job(job));
    reply.set_spec(record.spec);
    reply.set_plan(record.plan);
    return PutLatestMetrics(view, job, reply);
  }));
  return reply;
}

StatusOr<v1::Client> AdminViews::Client(const std::string& id_or_prefix) const {
  v1::Client out;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const ClientRecord client, FindClient(view, id_or_prefix));
    out = ViewOf(client, coordinator_.IsWaiting(client.id));
    return Status();
  }));
  return out;
}

StatusOr<v1::ListClientsReply> AdminViews::Clients(std::int64_t limit) const {
  v1::ListClientsReply reply;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const std::vector<ClientRecord> clients,
                         view.Clients(limit > 0 ? limit : kDefaultClients));
    for (const ClientRecord& client : clients) {
      *reply.add_clients() = ViewOf(client, coordinator_.IsWaiting(client.id));
    }
    return Status();
  }));
  return reply;
}

StatusOr<v1::Model> AdminViews::Model(const JobId& job, ModelVersion version) const {
  v1::Model out;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(const ModelRecord model, view.Model(job, version));
    FED_ASSIGN_OR_RETURN(out, ViewOf(view, model));
    return Status();
  }));
  return out;
}

StatusOr<v1::ListModelsReply> AdminViews::Models(const JobId& job) const {
  v1::ListModelsReply reply;
  FED_RETURN_IF_ERROR(store_.Read([&](const StoreView& view) -> Status {
    FED_RETURN_IF_ERROR(view.Job(job).status());
    FED_ASSIGN_OR_RETURN(const std::vector<ModelRecord> models, view.Models(job));
    for (const ModelRecord& model : models) {
      FED_ASSIGN_OR_RETURN(*reply.add_models(), ViewOf(view, model));
    }
    return Status();
  }));
  return reply;
}

}  // namespace fed::server
