// What a device and the server say to one another, as plain values: checked when they are made from
// messages (convert.h), used by both sides. No protobuf in here.
#ifndef FED_PROTO_WIRE_PARTICIPATION_H_
#define FED_PROTO_WIRE_PARTICIPATION_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/crypto/digest.h"
#include "common/tensor/flat_layout.h"
#include "fed/model_plan.h"

namespace fed::wire {

struct AssignmentRef {
  JobId job;
  AssignmentId assignment;
  friend auto operator<=>(const AssignmentRef&, const AssignmentRef&) = default;
};

struct Abilities {
  std::string sdk_version;
  std::string platform;
  std::vector<std::string> codecs;
  std::int64_t examples = 0;
  bool state_in_use = false;
  friend bool operator==(const Abilities&, const Abilities&) = default;
};

struct CheckInRequest {
  Abilities abilities;
  std::map<std::string, std::string> labels;
  std::vector<JobId> jobs;  // accepted; empty: all
  std::vector<AssignmentRef> unsettled;
  absl::Duration hold;
};

struct ReceiptEnd {
  AssignmentRef ref;
  enum class End { kCounted, kDiscarded, kUnknown } end = End::kUnknown;
  ModelVersion version;  // if counted
  std::string reason;    // if discarded
  friend bool operator==(const ReceiptEnd&, const ReceiptEnd&) = default;
};

enum class Purpose { kTrain, kEvaluate };

struct Assignment {
  AssignmentRef ref;
  Purpose purpose = Purpose::kTrain;
  RoundId round;
  ModelVersion base;
  Digest manifest;
  std::map<std::string, Value> config;
  std::string codec;
  std::vector<std::string> update_groups;
  std::vector<std::string> scalars;
  RolePatterns patterns;
  std::optional<ModelPlan> plan;
  absl::Duration remaining;
  absl::Duration renew_every;  // zero: the deadline alone counts
  std::uint64_t seed = 0;
};

struct ComeBack {
  enum class Reason { kNoWork, kJobPaused, kShuttingDown, kBusy, kJobsEnded, kNoJob };
  Reason reason = Reason::kNoWork;
  absl::Duration after;
  std::string text;
};

struct CheckInReply {
  std::vector<ReceiptEnd> ends;
  std::variant<ComeBack, Assignment> work;
};

enum class Stage { kDownloading, kTraining, kUploading, kEvaluating };

struct RenewRequest {
  AssignmentRef ref;
  Stage stage = Stage::kTraining;
  std::int64_t step = 0, steps = 0;
  double loss = 0;
};

struct RenewReply {
  bool go_on = true;
  std::string reason;
  absl::Duration remaining;
};

struct EvaluationReport {
  AssignmentRef ref;
  std::map<std::string, double> scalars;
};

struct EvaluationReply {
  bool taken = true;
  std::string reason;
};

// What a device says before it sends an update, and what it is told.
struct UploadBegin {
  AssignmentRef ref;
  Digest digest;
  std::int64_t header_bytes = 0;
  std::int64_t table_bytes = 0;
  std::int64_t total_bytes = 0;
};
struct UploadProceed {
  std::int64_t offset = 0;
  std::int64_t piece_bytes = 0;
};
struct UploadReceipt {
  Digest digest;
  std::optional<ReceiptEnd> end;  // absent while the round is open
};
struct UploadRefused {
  std::string reason;
};
using UploadReply = std::variant<UploadProceed, UploadReceipt, UploadRefused, ComeBack>;

struct ChunkRange {
  std::int64_t first = 0, count = 0;
  friend bool operator==(const ChunkRange&, const ChunkRange&) = default;
};

struct DownloadRequest {
  JobId job;
  ModelVersion version;
  std::string group;
  std::vector<ChunkRange> ranges;
};

}  // namespace fed::wire

#endif  // FED_PROTO_WIRE_PARTICIPATION_H_
