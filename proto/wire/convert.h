// Messages to values and back: the one place where what comes from the network is checked for form.
// Decode: kInvalidArgument naming the field, what came and what was expected. Encode: the values
// are ours, so it can't fail.
#ifndef FED_PROTO_WIRE_CONVERT_H_
#define FED_PROTO_WIRE_CONVERT_H_

#include "common/codec/manifest.h"
#include "fed/status.h"
#include "fed/v1/model.pb.h"
#include "fed/v1/participate.pb.h"
#include "fed/v1/transfer.pb.h"
#include "proto/wire/participation.h"

namespace fed::wire {

StatusOr<Value> Decode(const v1::Value& message);
void Encode(const Value& value, v1::Value& message);

StatusOr<ModelPlan> Decode(const v1::ModelPlan& message);
void Encode(const ModelPlan& plan, v1::ModelPlan& message);

StatusOr<AssignmentRef> Decode(const v1::AssignmentRef& message);
void Encode(const AssignmentRef& ref, v1::AssignmentRef& message);

StatusOr<CheckInRequest> Decode(const v1::CheckInRequest& message);
void Encode(const CheckInRequest& request, v1::CheckInRequest& message);

StatusOr<ReceiptEnd> Decode(const v1::ReceiptEnd& message);
void Encode(const ReceiptEnd& end, v1::ReceiptEnd& message);

StatusOr<Assignment> Decode(const v1::Assignment& message);
void Encode(const Assignment& assignment, v1::Assignment& message);

StatusOr<ComeBack> Decode(const v1::ComeBack& message);
void Encode(const ComeBack& come_back, v1::ComeBack& message);

StatusOr<CheckInReply> Decode(const v1::CheckInReply& message);
void Encode(const CheckInReply& reply, v1::CheckInReply& message);

StatusOr<RenewRequest> Decode(const v1::RenewRequest& message);
void Encode(const RenewRequest& request, v1::RenewRequest& message);

StatusOr<RenewReply> Decode(const v1::RenewReply& message);
void Encode(const RenewReply& reply, v1::RenewReply& message);

StatusOr<EvaluationReport> Decode(const v1::ReportEvaluationRequest& message);
void Encode(const EvaluationReport& report, v1::ReportEvaluationRequest& message);

StatusOr<EvaluationReply> Decode(const v1::ReportEvaluationReply& message);
void Encode(const EvaluationReply& reply, v1::ReportEvaluationReply& message);

StatusOr<Manifest> Decode(const v1::GetManifestReply& message);  // Validate()d
void Encode(const Manifest& manifest, v1::GetManifestReply& message);

StatusOr<DownloadRequest> Decode(const v1::DownloadRequest& message);
void Encode(const DownloadRequest& request, v1::DownloadRequest& message);

StatusOr<UploadBegin> Decode(const v1::UploadBegin& message);
void Encode(const UploadBegin& begin, v1::UploadBegin& message);

StatusOr<UploadReply> Decode(const v1::UploadReply& message);
void Encode(const UploadReply& reply, v1::UploadReply& message);

// [a-z0-9-], 1 to kMaxJobNameBytes.
StatusOr<JobId> DecodeJobId(const std::string& text);

// At most kMaxLabels, names and values of at most kMaxNameBytes.
Status CheckLabels(const std::map<std::string, std::string>& labels);

}  // namespace fed::wire

#endif  // FED_PROTO_WIRE_CONVERT_H_
