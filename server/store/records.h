// What the store remembers: a row each. Enumerators are stored by their number: append only.
#ifndef FED_SERVER_STORE_RECORDS_H_
#define FED_SERVER_STORE_RECORDS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/role.h"

namespace fed::server {

using Labels = std::map<std::string, std::string>;
using Scalars = std::map<std::string, double>;

enum class JobState { kDraft, kRunning, kPaused, kCompleted, kStopped };
struct JobRecord {
  JobId id;
  std::string spec;         // the text of job.toml
  std::string spec_source;  // its name in messages
  std::string plan;         // the text of the model plan; empty: none
  std::string plan_source;
  JobState state = JobState::kDraft;
  std::string reason;       // of a pause or a stop
  int failed_in_a_row = 0;  // rounds
  absl::Time created_at;
  friend bool operator==(const JobRecord&, const JobRecord&) = default;
};

struct ClientRecord {
  ClientId id;
  Role role = Role::kClient;
  std::string name;
  Labels labels;
  std::string sdk_version;
  std::string platform;
  std::int64_t examples = 0;
  absl::Time enrolled_at;
  absl::Time first_seen;  // absl::InfinitePast(): never
  absl::Time last_seen;
  std::int64_t rounds = 0;    // updates taken
  std::int64_t failures = 0;  // assignments that ended GONE or REJECTED
  bool revoked = false;
  friend bool operator==(const ClientRecord&, const ClientRecord&) = default;
};

struct EnrollTokenRecord {
  std::string hash;  // SHA-256 of the token, hex
  Role role = Role::kClient;
  Labels labels;
  std::int64_t uses_left = 0;
  absl::Time expires_at;
  bool ids_from_names = false;  // a device's id is the name that it gives, not one of our own
  friend bool operator==(const EnrollTokenRecord&, const EnrollTokenRecord&) = default;
};

struct CertificateRecord {
  std::string serial;  // hex
  ClientId client;
  std::string key_digest;  // SHA-256 of the public key's DER, hex
  std::string token_hash;  // empty: a renewal
  std::string der;         // the certificate itself: a lost answer is given again
  absl::Time not_after;
  friend bool operator==(const CertificateRecord&, const CertificateRecord&) = default;
};

enum class RoundState { kOpen, kClosing, kPublished, kFailed };
struct RoundRecord {
  JobId job;
  RoundId round;
  ModelVersion base;
  RoundState state = RoundState::kOpen;
  std::string reason;  // of a failure; while CLOSING: why it was cancelled, if it was
  std::int64_t target_updates = 0;
  absl::Time opened_at;  // wall time, for people
  absl::Time closed_at;  // absl::InfiniteFuture(): not yet
  absl::Duration
      remaining;  // until the deadline, when it was written; a restart never makes it longer
  friend bool operator==(const RoundRecord&, const RoundRecord&) = default;
};

enum class AssignmentState { kAssigned, kDone, kRejected, kGone };
struct AssignmentRecord {
  JobId job;
  AssignmentId assignment;
  RoundId round;
  ClientId client;
  ModelVersion base;
  std::string codec;
  absl::Duration remaining;
  AssignmentState state = AssignmentState::kAssigned;
  std::string reason;
  friend bool operator==(const AssignmentRecord&, const AssignmentRecord&) = default;
};

// The durable proof that an update was taken: written only once its bytes are on disk.
enum class ReceiptEnd { kOpen, kCounted, kDiscarded };
struct Receipt {
  JobId job;
  AssignmentId assignment;
  ClientId client;
  ModelVersion base;
  RoundId joins;       // whose set it is in: its own round's, or in buffered mode the open one's
  std::string digest;  // of the update's header and tile table, hex
  std::string spool_file;
  std::int64_t spool_offset = 0;  // small updates share a file
  std::int64_t bytes = 0;
  std::string codec;
  double weight = 0;
  double norm = 0;  // L2 of the decoded delta
  Scalars scalars;
  absl::Time accepted_at;
  ReceiptEnd end = ReceiptEnd::kOpen;
  ModelVersion counted_in;  // if counted
  std::string reason;       // if discarded
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

struct ModelFile {
  std::string digest;  // FileDigest, hex: its name in the blob folder
  std::int64_t bytes = 0;
  friend bool operator==(const ModelFile&, const ModelFile&) = default;
};
struct ModelRecord {
  JobId job;
  ModelVersion version;
  RoundId made_by;                         // 0: the initial model
  std::map<std::string, ModelFile> files;  // by group: "model", "control"
  absl::Time created_at;
  bool kept = true;  // false: its files may be gone (retention)
  friend bool operator==(const ModelRecord&, const ModelRecord&) = default;
};

enum class EvaluationState { kAssigned, kDone, kGone };
struct EvaluationRecord {
  JobId job;
  AssignmentId assignment;  // from the same counter as the rounds' assignments
  ModelVersion version;
  ClientId client;
  EvaluationState state = EvaluationState::kAssigned;
  Scalars scalars;
  friend bool operator==(const EvaluationRecord&, const EvaluationRecord&) = default;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_RECORDS_H_
