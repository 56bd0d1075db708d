// Downloads a version.
#include "server/cli/model_source.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/file.h"

namespace fed::server {

StatusOr<v1::Model> ExportModel(AdminClient& admin, const ModelChoice& choice,
                                const std::string& path) {
  FileSystem& files = FileSystem::Real();
  const std::string partial = absl::StrCat(path, ".partial");
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                       files.Open(partial, FileSystem::Mode::kCreate));
  FED_RETURN_IF_ERROR(file->Truncate(0));
  v1::DownloadModelRequest request;
  request.set_job(choice.job);
  request.set_version(choice.version);
  request.set_group(choice.group);
  v1::Model model;
  const Status got = admin.DownloadModel(request, [&](const v1::ModelPiece& piece) -> Status {
    if (model.digest().empty()) {
      model.set_version(piece.version());
      model.set_digest(ToHex(AsBytes(piece.digest())));
    }
    FED_RETURN_IF_ERROR(file->WriteAt(model.bytes(), AsBytes(piece.data())));
    model.set_bytes(model.bytes() + static_cast<std::int64_t>(piece.data().size()));
    return Status();
  });
  if (!got.ok()) {
    (void)files.Remove(partial);  // best effort: the download's error is what counts
    return got;
  }
  FED_RETURN_IF_ERROR(file->Sync());
  FED_RETURN_IF_ERROR(files.Rename(partial, path));
  model.set_kept(true);
  return model;
}

}  // namespace fed::server
