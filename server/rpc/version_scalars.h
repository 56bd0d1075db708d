// What evaluators said of a version, as one figure each.
#ifndef FED_SERVER_RPC_VERSION_SCALARS_H_
#define FED_SERVER_RPC_VERSION_SCALARS_H_

#include "fed/status.h"
#include "server/store/store.h"

namespace fed::server {

// The mean over the finished evaluations, weighted by their "examples" (1 for one that says none);
// of "examples" the sum. A scalar that only some report is averaged over those. Empty: not
// evaluated.
StatusOr<Scalars> ScalarsOfVersion(const StoreView& view, const JobId& job, ModelVersion version);

}  // namespace fed::server

#endif  // FED_SERVER_RPC_VERSION_SCALARS_H_
