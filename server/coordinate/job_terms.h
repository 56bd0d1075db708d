// What never changes of a job once it was made: its texts, read, and the layout of its versions.
#ifndef FED_SERVER_COORDINATE_JOB_TERMS_H_
#define FED_SERVER_COORDINATE_JOB_TERMS_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/digest.h"
#include "fed/model_plan.h"
#include "fed/status.h"
#include "proto/wire/participation.h"
#include "server/ingest/round_gate.h"
#include "server/round/job_spec.h"
#include "server/round/round.h"
#include "server/store/blob_folder.h"
#include "server/store/records.h"

namespace fed::server {

// Immutable: shared by the job's runner and by uploads that ask what to expect.
struct JobTerms {
  JobSpec spec;
  std::optional<ModelPlan> plan;
  Digest layout;            // of every version
  std::int64_t values = 0;  // trainable ones: of each update group
  RoundPolicy policy;
  std::vector<std::string> scalars;  // taken with an update
  std::string weight_scalar;         // empty: every update weighs 1
};

// What the SDK may send beside its groups.
inline constexpr const char* kExamplesScalar = "examples";
inline constexpr const char* kLossScalar = "loss";
inline constexpr const char* kStepsScalar = "local_steps";

// `version` is any one of the job's whose files are there. kInvalidArgument: a text that cannot be
// read; other codes: the model's file.
StatusOr<std::shared_ptr<const JobTerms>> ReadTerms(const JobRecord& job,
                                                    const ModelRecord& version,
                                                    const BlobFolder& blobs);

// What an update of this assignment must look like.
UpdateTerms TermsOfUpdate(const JobTerms& terms, const AssignmentRecord& assignment);

// Whether the job wants this device at all, now or later.
struct JobAdmission {
  enum class Kind { kWelcome, kNotAllowed, kNoCodec };
  Kind kind = Kind::kWelcome;
  std::string text;  // why not
};
JobAdmission Admit(const JobTerms& terms, Role role, const Labels& labels,
                   const wire::Abilities& abilities);

// The first of the job's codecs that the device has; empty: none.
std::string ChooseCodec(const JobTerms& terms, const wire::Abilities& abilities);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_JOB_TERMS_H_
