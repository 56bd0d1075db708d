// Version 0 of a job: drawn by its plan, or brought by the operator.
#ifndef FED_SERVER_COORDINATE_INITIAL_VERSION_H_
#define FED_SERVER_COORDINATE_INITIAL_VERSION_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/tensor/flat_layout.h"
#include "fed/model_plan.h"
#include "fed/parameters.h"
#include "fed/status.h"
#include "server/store/blob_folder.h"
#include "server/store/records.h"

namespace fed::server {

// All blocking; disk errors come through.

// Writes the plan's first values into `file`, as safetensors.
Status WriteInitialModel(const ModelPlan& plan, std::uint64_t seed, File& file);

// Whether a file has what the plan's layers have, in any order. kInvalidArgument names every
// tensor that is missing, too many, or of another shape or dtype (the first 20 of them).
Status CheckAgainstPlan(const ModelPlan& plan, const std::vector<TensorInfo>& tensors,
                        const std::string& plan_source);

// Writes zeros: F32 tensors of the names and shapes that are trained.
Status WriteZeros(const FlatLayout& layout, File& file);

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_INITIAL_VERSION_H_
