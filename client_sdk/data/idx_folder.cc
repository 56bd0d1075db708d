// Finds the files of a split.
#include "client_sdk/data/idx_folder.h"

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace fed {
namespace {

StatusOr<std::string> Find(const std::string& folder, const std::string& name) {
  for (const char* const ending : {"", ".gz"}) {
    const std::string path = absl::StrCat(JoinPath(folder, name), ending);
    FED_ASSIGN_OR_RETURN(const bool there, FileSystem::Real().Exists(path));
    if (there) return path;
  }
  return Status(StatusCode::kNotFound,
                absl::StrCat("neither ", name, " nor ", name, ".gz is in ", folder));
}

}  // namespace

StatusOr<std::unique_ptr<Dataset>> LoadIdxFolder(const std::string& folder, IdxSplit split) {
  const std::string prefix = split == IdxSplit::kTrain ? "train" : "t10k";
  FED_ASSIGN_OR_RETURN(const std::string images,
                       Find(folder, absl::StrCat(prefix, "-images-idx3-ubyte")));
  FED_ASSIGN_OR_RETURN(const std::string labels,
                       Find(folder, absl::StrCat(prefix, "-labels-idx1-ubyte")));
  return LoadIdxDataset(images, labels);
}

}  // namespace fed
