// The messages of participate.proto to values and back.
#include <algorithm>

#include "proto/wire/convert.h"
#include "proto/wire/fields.h"

namespace fed::wire {
namespace {

constexpr std::int64_t kMaxId = std::int64_t{1} << 53;  // exact in every language's numbers
constexpr absl::Duration kLongest = absl::Hours(24 * 366);
constexpr int kMaxJobsNamed = 256;
constexpr int kMaxCodecs = 64;
constexpr int kMaxPatterns = 4'096;
constexpr int kMaxReasonBytes = 4'096;
constexpr std::int64_t kMaxCount = std::int64_t{1} << 62;

constexpr EnumPair<Purpose, v1::Purpose> kPurposes[] = {{Purpose::kTrain, v1::PURPOSE_TRAIN},
                                                        {Purpose::kEvaluate, v1::PURPOSE_EVALUATE}};
constexpr EnumPair<ReceiptEnd::End, v1::ReceiptEnd::End> kEnds[] = {
    {ReceiptEnd::End::kCounted, v1::ReceiptEnd::END_COUNTED},
    {ReceiptEnd::End::kDiscarded, v1::ReceiptEnd::END_DISCARDED},
    {ReceiptEnd::End::kUnknown, v1::ReceiptEnd::END_UNKNOWN}};
constexpr EnumPair<ComeBack::Reason, v1::ComeBack::Reason> kReasons[] = {
    {ComeBack::Reason::kNoWork, v1::ComeBack::REASON_NO_WORK},
    {ComeBack::Reason::kJobPaused, v1::ComeBack::REASON_JOB_PAUSED},
    {ComeBack::Reason::kShuttingDown, v1::ComeBack::REASON_SHUTTING_DOWN},
    {ComeBack::Reason::kBusy, v1::ComeBack::REASON_BUSY},
    {ComeBack::Reason::kJobsEnded, v1::ComeBack::REASON_JOBS_ENDED},
    {ComeBack::Reason::kNoJob, v1::ComeBack::REASON_NO_JOB}};
constexpr EnumPair<Stage, v1::RenewRequest::Stage> kStages[] = {
    {Stage::kDownloading, v1::RenewRequest::STAGE_DOWNLOADING},
    {Stage::kTraining, v1::RenewRequest::STAGE_TRAINING},
    {Stage::kUploading, v1::RenewRequest::STAGE_UPLOADING},
    {Stage::kEvaluating, v1::RenewRequest::STAGE_EVALUATING}};

StatusOr<Abilities> DecodeAbilities(const v1::Abilities& message) {
  Abilities abilities;
  FED_RETURN_IF_ERROR(CheckText("abilities.sdk_version", message.sdk_version(), 64));
  FED_RETURN_IF_ERROR(CheckText("abilities.platform", message.platform(), 128));
  FED_RETURN_IF_ERROR(CheckRange("abilities.examples", message.examples(), 0, kMaxCount));
  FED_ASSIGN_OR_RETURN(abilities.codecs,
                       DecodeNames("abilities.codecs", message.codecs(), kMaxCodecs));
  abilities.sdk_version = message.sdk_version();
  abilities.platform = message.platform();
  abilities.examples = message.examples();
  abilities.state_in_use = message.state_in_use();
  return abilities;
}

void EncodeAbilities(const Abilities& abilities, v1::Abilities& message) {
  message.set_sdk_version(abilities.sdk_version);
  message.set_platform(abilities.platform);
  EncodeNames(abilities.codecs, *message.mutable_codecs());
  message.set_examples(abilities.examples);
  message.set_state_in_use(abilities.state_in_use);
}

Status DecodeAssignmentLists(const v1::Assignment& message, Assignment& out) {
  FED_ASSIGN_OR_RETURN(out.update_groups, DecodeNames("assignment.update_groups",
                                                      message.update_groups(), kMaxGroups));
  FED_ASSIGN_OR_RETURN(out.scalars,
                       DecodeNames("assignment.scalars", message.scalars(), kMaxScalars));
  FED_ASSIGN_OR_RETURN(out.patterns.frozen,
                       DecodeNames("assignment.frozen", message.frozen(), kMaxPatterns));
  FED_ASSIGN_OR_RETURN(out.patterns.local,
                       DecodeNames("assignment.local", message.local(), kMaxPatterns));
  FED_RETURN_IF_ERROR(
      CheckRange("number of assignment.config", message.config_size(), 0, kMaxScalars));
  for (const auto& [name, value] : message.config()) {
    FED_RETURN_IF_ERROR(CheckText("assignment.config", name, kMaxNameBytes));
    FED_ASSIGN_OR_RETURN(out.config[name], Decode(value));
  }
  return Status();
}

}  // namespace

StatusOr<JobId> DecodeJobId(const std::string& text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  };
  if (text.empty() || text.size() > kMaxJobNameBytes ||
      !std::all_of(text.begin(), text.end(), allowed)) {
    return Invalid(
        "job", absl::StrCat("expected 1 to ", kMaxJobNameBytes, " characters of a-z, 0-9 and '-'"));
  }
  return JobId{text};
}

Status CheckLabels(const std::map<std::string, std::string>& labels) {
  FED_RETURN_IF_ERROR(
      CheckRange("number of labels", static_cast<std::int64_t>(labels.size()), 0, kMaxLabels));
  for (const auto& [name, value] : labels) {
    FED_RETURN_IF_ERROR(CheckText("labels", name, kMaxNameBytes));
    FED_RETURN_IF_ERROR(CheckText("labels", value, kMaxNameBytes));
  }
  return Status();
}

StatusOr<AssignmentRef> Decode(const v1::AssignmentRef& message) {
  AssignmentRef ref;
  FED_ASSIGN_OR_RETURN(ref.job, DecodeJobId(message.job()));
  FED_RETURN_IF_ERROR(CheckRange("assignment", message.assignment(), 1, kMaxId));
  ref.assignment = AssignmentId{message.assignment()};
  return ref;
}

void Encode(const AssignmentRef& ref, v1::AssignmentRef& message) {
  message.set_job(ref.job.value);
  message.set_assignment(ref.assignment.value);
}

StatusOr<CheckInRequest> Decode(const v1::CheckInRequest& message) {
  CheckInRequest request;
  FED_ASSIGN_OR_RETURN(request.abilities, DecodeAbilities(message.abilities()));
  request.labels = {message.labels().begin(), message.labels().end()};
  FED_RETURN_IF_ERROR(CheckLabels(request.labels));
  FED_RETURN_IF_ERROR(CheckRange("number of jobs", message.jobs_size(), 0, kMaxJobsNamed));
  for (const std::string& job : message.jobs()) {
    FED_ASSIGN_OR_RETURN(JobId id, DecodeJobId(job));
    request.jobs.push_back(std::move(id));
  }
  FED_RETURN_IF_ERROR(
      CheckRange("number of unsettled", message.unsettled_size(), 0, kMaxUnsettled));
  for (const v1::AssignmentRef& ref : message.unsettled()) {
    FED_ASSIGN_OR_RETURN(AssignmentRef decoded, Decode(ref));
    request.unsettled.push_back(std::move(decoded));
  }
  FED_ASSIGN_OR_RETURN(request.hold, DecodeMillis("hold_ms", message.hold_ms(), kMaxPollHold));
  return request;
}

void Encode(const CheckInRequest& request, v1::CheckInRequest& message) {
  EncodeAbilities(request.abilities, *message.mutable_abilities());
  message.mutable_labels()->insert(request.labels.begin(), request.labels.end());
  for (const JobId& job : request.jobs) message.add_jobs(job.value);
  for (const AssignmentRef& ref : request.unsettled) Encode(ref, *message.add_unsettled());
  message.set_hold_ms(EncodeMillis(request.hold));
}

StatusOr<ReceiptEnd> Decode(const v1::ReceiptEnd& message) {
  ReceiptEnd end;
  FED_ASSIGN_OR_RETURN(end.ref, Decode(message.ref()));
  FED_ASSIGN_OR_RETURN(end.end, DecodeEnum("receipt end", message.end(), kEnds));
  FED_RETURN_IF_ERROR(CheckRange("receipt version", message.version(), 0, kMaxId));
  FED_RETURN_IF_ERROR(CheckText("receipt reason", message.reason(), kMaxReasonBytes));
  end.version = ModelVersion{message.version()};
  end.reason = message.reason();
  return end;
}

void Encode(const ReceiptEnd& end, v1::ReceiptEnd& message) {
  Encode(end.ref, *message.mutable_ref());
  message.set_end(EncodeEnum(end.end, kEnds));
  message.set_version(end.version.value);
  message.set_reason(end.reason.substr(0, kMaxReasonBytes));
}

StatusOr<Assignment> Decode(const v1::Assignment& message) {
  Assignment assignment;
  FED_ASSIGN_OR_RETURN(assignment.ref, Decode(message.ref()));
  FED_ASSIGN_OR_RETURN(assignment.purpose, DecodeEnum("purpose", message.purpose(), kPurposes));
  FED_RETURN_IF_ERROR(CheckRange("round", message.round(), 0, kMaxId));
  FED_RETURN_IF_ERROR(CheckRange("base_version", message.base_version(), 0, kMaxId));
  FED_RETURN_IF_ERROR(CheckText("codec", message.codec(), kMaxNameBytes));
  assignment.round = RoundId{message.round()};
  assignment.base = ModelVersion{message.base_version()};
  assignment.codec = message.codec();
  assignment.seed = message.seed();
  FED_ASSIGN_OR_RETURN(assignment.manifest,
                       DecodeDigest("manifest_digest", message.manifest_digest()));
  FED_RETURN_IF_ERROR(DecodeAssignmentLists(message, assignment));
  if (message.has_plan()) {
    FED_ASSIGN_OR_RETURN(assignment.plan, Decode(message.plan()));
  }
  FED_ASSIGN_OR_RETURN(assignment.remaining,
                       DecodeMillis("remaining_ms", message.remaining_ms(), kLongest));
  FED_ASSIGN_OR_RETURN(assignment.renew_every,
                       DecodeMillis("renew_every_ms", message.renew_every_ms(), kLongest));
  return assignment;
}

void Encode(const Assignment& assignment, v1::Assignment& message) {
  Encode(assignment.ref, *message.mutable_ref());
  message.set_purpose(EncodeEnum(assignment.purpose, kPurposes));
  message.set_round(assignment.round.value);
  message.set_base_version(assignment.base.value);
  message.set_manifest_digest(assignment.manifest.bytes.data(), assignment.manifest.bytes.size());
  for (const auto& [name, value] : assignment.config) {
    Encode(value, (*message.mutable_config())[name]);
  }
  message.set_codec(assignment.codec);
  EncodeNames(assignment.update_groups, *message.mutable_update_groups());
  EncodeNames(assignment.scalars, *message.mutable_scalars());
  EncodeNames(assignment.patterns.frozen, *message.mutable_frozen());
  EncodeNames(assignment.patterns.local, *message.mutable_local());
  if (assignment.plan.has_value()) Encode(*assignment.plan, *message.mutable_plan());
  message.set_remaining_ms(EncodeMillis(assignment.remaining));
  message.set_renew_every_ms(EncodeMillis(assignment.renew_every));
  message.set_seed(assignment.seed);
}

StatusOr<ComeBack> Decode(const v1::ComeBack& message) {
  ComeBack come_back;
  FED_ASSIGN_OR_RETURN(come_back.reason,
                       DecodeEnum("come_back.reason", message.reason(), kReasons));
  FED_ASSIGN_OR_RETURN(come_back.after, DecodeMillis("after_ms", message.after_ms(), kLongest));
  FED_RETURN_IF_ERROR(CheckText("come_back.text", message.text(), kMaxReasonBytes));
  come_back.text = message.text();
  return come_back;
}

void Encode(const ComeBack& come_back, v1::ComeBack& message) {
  message.set_reason(EncodeEnum(come_back.reason, kReasons));
  message.set_after_ms(EncodeMillis(come_back.after));
  message.set_text(come_back.text.substr(0, kMaxReasonBytes));
}

StatusOr<CheckInReply> Decode(const v1::CheckInReply& message) {
  CheckInReply reply;
  FED_RETURN_IF_ERROR(CheckRange("number of ends", message.ends_size(), 0, kMaxUnsettled));
  for (const v1::ReceiptEnd& end : message.ends()) {
    FED_ASSIGN_OR_RETURN(ReceiptEnd decoded, Decode(end));
    reply.ends.push_back(std::move(decoded));
  }
  switch (message.work_case()) {
    case v1::CheckInReply::kAssignment: {
      FED_ASSIGN_OR_RETURN(reply.work, Decode(message.assignment()));
      return reply;
    }
    case v1::CheckInReply::kComeBack: {
      FED_ASSIGN_OR_RETURN(reply.work, Decode(message.come_back()));
      return reply;
    }
    case v1::CheckInReply::WORK_NOT_SET:
      break;
  }
  return Invalid("work", "neither an assignment nor come-back-later");
}

void Encode(const CheckInReply& reply, v1::CheckInReply& message) {
  for (const ReceiptEnd& end : reply.ends) Encode(end, *message.add_ends());
  if (const auto* assignment = std::get_if<Assignment>(&reply.work)) {
    Encode(*assignment, *message.mutable_assignment());
  } else {
    Encode(std::get<ComeBack>(reply.work), *message.mutable_come_back());
  }
}

StatusOr<RenewRequest> Decode(const v1::RenewRequest& message) {
  RenewRequest request;
  FED_ASSIGN_OR_RETURN(request.ref, Decode(message.ref()));
  FED_ASSIGN_OR_RETURN(request.stage, DecodeEnum("stage", message.stage(), kStages));
  FED_RETURN_IF_ERROR(CheckRange("step", message.step(), 0, kMaxCount));
  FED_RETURN_IF_ERROR(CheckRange("steps", message.steps(), 0, kMaxCount));
  request.step = message.step();
  request.steps = message.steps();
  // A loss that ran away is worth showing, and nothing is computed from it.
  request.loss = message.loss();
  return request;
}

void Encode(const RenewRequest& request, v1::RenewRequest& message) {
  Encode(request.ref, *message.mutable_ref());
  message.set_stage(EncodeEnum(request.stage, kStages));
  message.set_step(request.step);
  message.set_steps(request.steps);
  message.set_loss(request.loss);
}

StatusOr<RenewReply> Decode(const v1::RenewReply& message) {
  RenewReply reply;
  reply.go_on = message.go_on();
  FED_RETURN_IF_ERROR(CheckText("reason", message.reason(), kMaxReasonBytes));
  reply.reason = message.reason();
  FED_ASSIGN_OR_RETURN(reply.remaining,
                       DecodeMillis("remaining_ms", message.remaining_ms(), kLongest));
  return reply;
}

void Encode(const RenewReply& reply, v1::RenewReply& message) {
  message.set_go_on(reply.go_on);
  message.set_reason(reply.reason.substr(0, kMaxReasonBytes));
  message.set_remaining_ms(EncodeMillis(reply.remaining));
}

StatusOr<EvaluationReport> Decode(const v1::ReportEvaluationRequest& message) {
  EvaluationReport report;
  FED_ASSIGN_OR_RETURN(report.ref, Decode(message.ref()));
  FED_ASSIGN_OR_RETURN(report.scalars, DecodeScalars("scalars", message.scalars()));
  return report;
}

void Encode(const EvaluationReport& report, v1::ReportEvaluationRequest& message) {
  Encode(report.ref, *message.mutable_ref());
  message.mutable_scalars()->insert(report.scalars.begin(), report.scalars.end());
}

StatusOr<EvaluationReply> Decode(const v1::ReportEvaluationReply& message) {
  FED_RETURN_IF_ERROR(CheckText("reason", message.reason(), kMaxReasonBytes));
  return EvaluationReply{message.taken(), message.reason()};
}

void Encode(const EvaluationReply& reply, v1::ReportEvaluationReply& message) {
  message.set_taken(reply.taken);
  message.set_reason(reply.reason.substr(0, kMaxReasonBytes));
}

}  // namespace fed::wire
