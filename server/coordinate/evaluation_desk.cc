// Evaluations in memory and in the store.
#include "server/coordinate/evaluation_desk.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/coordinate/assignment_factory.h"
#include "server/coordinate/version_catalog.h"

namespace fed::server {

EvaluationDesk::EvaluationDesk(Context& context, std::shared_ptr<const JobTerms> terms)
    : context_(context),
      terms_(std::move(terms)),
      evaluations_(terms_->spec.evaluation, terms_->spec.rounds.count, terms_->policy.lease) {}

void EvaluationDesk::AddVersion(ModelVersion version, const std::vector<EvaluationRecord>& known) {
  evaluations_.Add(version, known, context_.parts.clock.Now());
}

Status EvaluationDesk::Serve(AssignmentId& next) {
  const JobId& job = terms_->spec.id;
  std::vector<ClientId> chosen;
  for (const ClientId& client : context_.pool.Waiting(job, wire::Purpose::kEvaluate)) {
    if (evaluations_.NextFor(client)) chosen.push_back(client);
  }
  if (chosen.empty()) return Status();

  std::vector<Pool::Entry> entries = context_.pool.Take(chosen);
  std::vector<EvaluationRecord> rows;
  std::vector<wire::Assignment> assignments;
  Status status;
  AssignmentId id = next;
  for (const Pool::Entry& entry : entries) {
    EvaluationRecord row;
    row.job = job;
    row.assignment = id;
    row.client = entry.poll->device().caller.id;
    row.version = *evaluations_.NextFor(row.client);
    const StatusOr<Digest> manifest = ManifestOf(row.version);
    if (!manifest.ok()) status = manifest.status();
    if (!manifest.ok()) break;
    assignments.push_back(MakeAssignment(*terms_, row, *manifest, terms_->spec.evaluation.timeout));
    rows.push_back(std::move(row));
    ++id.value;
  }
  if (status.ok()) {
    status = context_.Write([&](StoreEdit& edit) -> Status {
      for (const EvaluationRecord& row : rows) FED_RETURN_IF_ERROR(edit.PutEvaluation(row));
      return Status();
    });
  }
  if (!status.ok()) {
    context_.ReturnToPool(std::move(entries));
    return status;
  }
  next = id;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    evaluations_.Begin(rows[i], context_.parts.clock.Now());
    wire::CheckInReply reply;
    reply.work = std::move(assignments[i]);
    entries[i].poll->Answer(std::move(reply));
  }
  return Status();
}

Status EvaluationDesk::Expire() {
  return WriteGone(evaluations_.Expire(context_.parts.clock.Now()));
}

std::optional<wire::Assignment> EvaluationDesk::Again(const ClientId& client) {
  const absl::Time now = context_.parts.clock.Now();
  const Evaluations::Open* open = evaluations_.OpenOf(client);
  if (open == nullptr || now >= open->deadline) return std::nullopt;
  const StatusOr<Digest> manifest = ManifestOf(open->row.version);
  if (!manifest.ok()) return std::nullopt;
  evaluations_.Renew(client, open->row.assignment, now);
  return MakeAssignment(*terms_, open->row, *manifest, open->deadline - now);
}

std::optional<wire::RenewReply> EvaluationDesk::Renew(const ClientId& client,
                                                      const wire::RenewRequest& request) {
  const absl::Time now = context_.parts.clock.Now();
  if (!evaluations_.Renew(client, request.ref.assignment, now)) return std::nullopt;
  wire::RenewReply reply;
  reply.remaining = std::max(evaluations_.OpenOf(client)->deadline - now, absl::ZeroDuration());
  return reply;
}

StatusOr<EvaluationDesk::Taken> EvaluationDesk::Report(const ClientId& client,
                                                       const wire::EvaluationReport& report,
                                                       bool job_is_over) {
  Taken taken;
  EvaluationRecord row;
  FED_RETURN_IF_ERROR(context_.Write([&](StoreEdit& edit) -> Status {
    FED_ASSIGN_OR_RETURN(row, edit.Evaluation(report.ref.job, report.ref.assignment));
    if (row.client != client) {
      return Status(StatusCode::kNotFound,
                    absl::StrCat("no evaluation ", row.assignment.value, " of this client"));
    }
    taken.is_new = row.state != EvaluationState::kDone && !job_is_over;
    if (!taken.is_new) return Status();
    row.state = EvaluationState::kDone;
    row.scalars = report.scalars;
    return edit.PutEvaluation(row);
  }));
  taken.version = row.version;
  taken.reply.taken = row.state == EvaluationState::kDone;
  if (taken.is_new) {
    evaluations_.Finish(row);
    context_.parts.log.Info("version.evaluated", {{"job", row.job.value},
                                                  {"version", row.version.value},
                                                  {"client", ShortId(client.value)}});
  }
  if (!taken.reply.taken) taken.reply.reason = "the job has ended";
  return taken;
}

Status EvaluationDesk::Revoke(const ClientId& client) {
  const std::optional<EvaluationRecord> gone = evaluations_.Drop(client);
  return gone ? WriteGone({*gone}) : Status();
}

StatusOr<Digest> EvaluationDesk::ManifestOf(ModelVersion version) const {
  ModelRecord model;
  FED_RETURN_IF_ERROR(context_.parts.store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(model, view.Model(terms_->spec.id, version));
    return Status();
  }));
  FED_ASSIGN_OR_RETURN(const Manifest manifest, MakeManifest(model, context_.parts.blobs));
  return ManifestDigest(manifest);
}

Status EvaluationDesk::WriteGone(const std::vector<EvaluationRecord>& gone) {
  if (gone.empty()) return Status();
  for (const EvaluationRecord& row : gone) {
    context_.parts.log.Info("evaluation.gone", {{"job", row.job.value},
                                                {"version", row.version.value},
                                                {"client", ShortId(row.client.value)}});
  }
  return context_.Write([&](StoreEdit& edit) -> Status {
    for (const EvaluationRecord& row : gone) {
      FED_ASSIGN_OR_RETURN(const EvaluationRecord now, edit.Evaluation(row.job, row.assignment));
      if (now.state != EvaluationState::kAssigned) continue;
      FED_RETURN_IF_ERROR(edit.PutEvaluation(row));
    }
    return Status();
  });
}

}  // namespace fed::server
