// What a device is told of its share.
#ifndef FED_SERVER_COORDINATE_ASSIGNMENT_FACTORY_H_
#define FED_SERVER_COORDINATE_ASSIGNMENT_FACTORY_H_

#include "absl/time/time.h"
#include "common/crypto/digest.h"
#include "proto/wire/participation.h"
#include "server/coordinate/job_terms.h"
#include "server/store/records.h"

namespace fed::server {

// `manifest` is the base version's, or the evaluated one's. Equal rows give equal assignments but
// for what remains of their time.
wire::Assignment MakeAssignment(const JobTerms& terms, const AssignmentRecord& row,
                                const Digest& manifest, absl::Duration remaining);
wire::Assignment MakeAssignment(const JobTerms& terms, const EvaluationRecord& row,
                                const Digest& manifest, absl::Duration remaining);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_ASSIGNMENT_FACTORY_H_
