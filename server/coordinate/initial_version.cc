// Safetensors files written straight into a blob.
#include "server/coordinate/initial_version.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

// All of them, as far as a message goes: an operator mends them in one go.
Status Mismatch(std::vector<std::string>& differences, const std::string& plan_source) {
  constexpr std::size_t kNamed = 20;
  if (differences.size() > kNamed) {
    const std::size_t others = differences.size() - kNamed;
    differences.resize(kNamed);
    differences.push_back(absl::StrCat("and ", others, " more"));
  }
  return Status(StatusCode::kInvalidArgument,
                absl::StrCat("the initial model does not fit ", plan_source, ": it has ",
                             absl::StrJoin(differences, "; ")));
}

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
  std::vector<std::string> differences;
  for (const TensorInfo& wanted : planned) {
    const auto at = found.find(wanted.name);
    if (at == found.end()) {
      differences.push_back(absl::StrCat("no tensor ", ToString(wanted)));
      continue;
    }
    if (at->second->shape != wanted.shape || !IsTrainableDtype(at->second->dtype)) {
      differences.push_back(absl::StrCat(ToString(*at->second), " for ", ToString(wanted)));
    }
    found.erase(at);
  }
  for (const auto& [name, extra] : found) {
    differences.push_back(absl::StrCat(ToString(*extra), ", which the plan has not"));
  }
  return differences.empty() ? Status() : Mismatch(differences, plan_source);
}

Status WriteZeros(const FlatLayout& layout, File& file) {
  std::vector<TensorInfo> tensors;
  for (const FlatLayout::Part& part : layout.parts()) {
    tensors.push_back({part.info.name, Dtype::kF32, part.info.shape});
  }
  return WriteHeader(tensors, file).status();
}

}  // namespace fed::server
