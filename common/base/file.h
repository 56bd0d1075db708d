// Every file that the system writes goes through here, so that a fake can forget what was not
// fsynced, tear the last write, fail the n-th call or run out of space.
#ifndef FED_COMMON_BASE_FILE_H_
#define FED_COMMON_BASE_FILE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fed/status.h"

namespace fed {

// An open file. Positioned calls are thread-safe; the file is closed by its destructor.
class File {
 public:
  virtual ~File() = default;

  // Fills all of `out` from `offset`. kOutOfRange if the file ends before; kUnavailable on EIO.
  virtual Status ReadAt(std::int64_t offset, absl::Span<std::uint8_t> out) const = 0;

  // Writes all of `bytes` at `offset`; a gap before it becomes zeros. kResourceExhausted when the
  // disk or a quota is full.
  virtual Status WriteAt(std::int64_t offset, absl::Span<const std::uint8_t> bytes) = 0;

  // Sets the size; growth is zeros.
  virtual Status Truncate(std::int64_t size) = 0;

  // Data and size are on disk when this returns OK. After an error nothing can be said of any
  // write since the last OK.
  virtual Status Sync() = 0;

  virtual StatusOr<std::int64_t> size() const = 0;
};

// A folder tree. Thread-safe. Paths are absolute or relative to the process.
class FileSystem {
 public:
  enum class Mode { kRead, kReadWrite, kCreate };  // kCreate: made if missing, contents kept

  virtual ~FileSystem() = default;

  // kNotFound if it does not exist (kRead, kReadWrite). Files are made with mode 0600.
  virtual StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) = 0;

  // Atomic; the new name is durable only after SyncFolder of its folder.
  virtual Status Rename(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;  // kNotFound if there is none
  virtual Status MakeFolder(
      const std::string& path) = 0;  // with its parents, mode 0700; OK if there
  virtual Status SyncFolder(const std::string& path) = 0;
  virtual StatusOr<std::vector<std::string>> List(
      const std::string& path) const = 0;  // sorted names
  virtual StatusOr<bool> Exists(const std::string& path) const = 0;

  // The machine's. Never deleted.
  static FileSystem& Real();
};

// The whole file, refused with kResourceExhausted above `max_bytes`.
StatusOr<std::string> ReadFile(FileSystem& files, const std::string& path, std::int64_t max_bytes);

// Replaces `path` atomically and durably: temporary file, sync, rename, sync of the folder.
Status WriteFileDurably(FileSystem& files, const std::string& path, absl::string_view contents);

// "a/b", without doubling a slash.
std::string JoinPath(absl::string_view folder, absl::string_view name);
std::string FolderOf(absl::string_view path);  // "." for a bare name

}  // namespace fed

#endif  // FED_COMMON_BASE_FILE_H_
