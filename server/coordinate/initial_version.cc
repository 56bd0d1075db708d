// Safetensors files written straight into a blob.
#include "server/coordinate/initial_version.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/bytes.h"
#include "common/tensor/safetensors.h"

namespace fed::server {
namespace {

// The header, and room for the data: zeros.
StatusOr<SafetensorsHeader> WriteHeader(const std::vector<TensorInfo>& tensors, File& file) {
  FED_ASSIGN_OR_RETURN(const std::string header, MakeSafetensorsHeader(tensors, {}));
  FED_RETURN_IF_ERROR(file.WriteAt(0, AsBytes(header)));
  std::int64_t bytes = static_cast<std::int64_t>(header.size());
  for (const TensorInfo& tensor : tensors) {
    bytes += tensor.elements() * static_cast<std::int64_t>(DtypeBytes(tensor.dtype));
  }
  FED_RETURN_IF_ERROR(file.Truncate(bytes));
  return ReadSafetensorsHeader(file);
}

Status Mismatch(std::string what) { return Status(StatusCode::kInvalidArgument, std::move(what)); }

}  // namespace

Status WriteInitialModel(const ModelPlan& plan, std::uint64_t seed, File& file) {
  FED_ASSIGN_OR_RETURN(const Parameters parameters, Initialize(plan, seed));
  std::vector<TensorInfo> tensors;
  for (std::size_t i = 0; i < parameters.size(); ++i) tensors.push_back(parameters.info(i));
  FED_ASSIGN_OR_RETURN(const SafetensorsHeader header, WriteHeader(tensors, file));
  FED_ASSIGN_OR_RETURN(const FlatLayout layout, FlatLayout::Make(tensors, RolePatterns{}));
  for (const FlatLayout::Part& part : layout.parts()) {
    const auto values = parameters.values(part.tensor);
    FED_RETURN_IF_ERROR(WriteFlat(file, header, layout, part.first,
                                  absl::MakeConstSpan(values.data(), values.size())));
  }
  return Status();
}

Status CheckAgainstPlan(const ModelPlan& plan, const std::vector<TensorInfo>& tensors,
                        const std::string& plan_source) {
  FED_ASSIGN_OR_RETURN(const std::vector<TensorInfo> planned, TensorsOf(plan));
  std::map<std::string, const TensorInfo*> found;
  for (const TensorInfo& tensor : tensors) found[tensor.name] = &tensor;
  for (const TensorInfo& wanted : planned) {
    const auto at = found.find(wanted.name);
    if (at == found.end()) {
      return Mismatch(
          absl::StrCat("the initial model has no tensor ", ToString(wanted), " of ", plan_source));
    }
    if (at->second->shape != wanted.shape || !IsTrainableDtype(at->second->dtype)) {
      return Mismatch(absl::StrCat("the initial model has ", ToString(*at->second), ": ",
                                   plan_source, " needs ", ToString(wanted)));
    }
    found.erase(at);
  }
  if (found.empty()) return Status();
  return Mismatch(absl::StrCat("the initial model has ", ToString(*found.begin()->second),
                               ", which is not in ", plan_source));
}

Status WriteZeros(const FlatLayout& layout, File& file) {
  std::vector<TensorInfo> tensors;
  for (const FlatLayout::Part& part : layout.parts()) {
    tensors.push_back({part.info.name, Dtype::kF32, part.info.shape});
  }
  return WriteHeader(tensors, file).status();
}

}  // namespace fed::server
