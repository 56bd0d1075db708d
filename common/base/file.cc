// Whole files, and names of paths, over any FileSystem.
#include "common/base/file.h"

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"

namespace fed {
namespace {

Status WriteAndSync(FileSystem& files, const std::string& path, absl::string_view contents) {
  FED_ASSIGN_OR_RETURN(const auto file, files.Open(path, FileSystem::Mode::kCreate));
  FED_RETURN_IF_ERROR(file->Truncate(0));  // what an earlier try may have left
  FED_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(contents)));
  return file->Sync();
}

}  // namespace

StatusOr<std::string> ReadFile(FileSystem& files, const std::string& path, std::int64_t max_bytes) {
  FED_ASSIGN_OR_RETURN(const auto file, files.Open(path, FileSystem::Mode::kRead));
  FED_ASSIGN_OR_RETURN(const std::int64_t size, file->size());
  if (size > max_bytes) {
    return Status(StatusCode::kResourceExhausted,
                  absl::StrCat(path, " has ", size, " bytes: at most ", max_bytes, " are read"));
  }
  std::string contents(static_cast<std::size_t>(size), '\0');
  FED_RETURN_IF_ERROR(
      file->ReadAt(0, {reinterpret_cast<std::uint8_t*>(contents.data()), contents.size()}));
  return contents;
}

Status WriteFileDurably(FileSystem& files, const std::string& path, absl::string_view contents) {
  const std::string temporary = path + ".tmp";
  Status status = WriteAndSync(files, temporary, contents);
  if (status.ok()) status = files.Rename(temporary, path);
  if (status.ok()) return files.SyncFolder(FolderOf(path));
  const Status removed = files.Remove(temporary);  // in vain at worst: the next try overwrites it
  static_cast<void>(removed);
  return status;
}

std::string JoinPath(absl::string_view folder, absl::string_view name) {
  if (folder.empty()) return std::string(name);
  return absl::StrCat(folder, folder.back() == '/' ? "" : "/", name);
}

std::string FolderOf(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == absl::string_view::npos) return ".";
  return std::string(slash == 0 ? "/" : path.substr(0, slash));
}

}  // namespace fed
