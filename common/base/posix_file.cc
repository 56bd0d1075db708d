// The machine's files.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace fed {
namespace {

StatusCode CodeOf(int error) {
  switch (error) {
    case ENOENT:
      return StatusCode::kNotFound;
    case EEXIST:
      return StatusCode::kAlreadyExists;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
      return StatusCode::kResourceExhausted;
    case EIO:
    case EAGAIN:
    case EBUSY:
      return StatusCode::kUnavailable;
    default:  // permissions, a file where a folder is expected: someone must act
      return StatusCode::kFailedPrecondition;
  }
}

// Of the call that has just failed: "write /state/spool/7: No space left on device".
Status ErrnoStatus(absl::string_view call, const std::string& path) {
  const int error = errno;
  return Status(CodeOf(error),
                absl::StrCat(call, " ", path, ": ", std::generic_category().message(error)));
}

template <typename Call>
auto RetryOnSignal(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Status ReadAt(std::int64_t offset, absl::Span<std::uint8_t> out) const override {
    for (std::size_t done = 0; done < out.size();) {
      const ssize_t n = RetryOnSignal([&] {
        return ::pread(descriptor_, out.data() + done, out.size() - done,
                       offset + static_cast<std::int64_t>(done));
      });
      if (n < 0) return ErrnoStatus("read", path_);
      if (n == 0) {
        return Status(StatusCode::kOutOfRange,
                      absl::StrCat("read ", path_, ": it ends at byte ",
                                   offset + static_cast<std::int64_t>(done), ", expected ",
                                   out.size() - done, " more"));
      }
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Status WriteAt(std::int64_t offset, absl::Span<const std::uint8_t> bytes) override {
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t n = RetryOnSignal([&] {
        return ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done,
                        offset + static_cast<std::int64_t>(done));
      });
      if (n < 0) return ErrnoStatus("write", path_);
      done += static_cast<std::size_t>(n);
    }
    return {};
  }

  Status Truncate(std::int64_t size) override {
    if (RetryOnSignal([&] { return ::ftruncate(descriptor_, size); }) < 0) {
      return ErrnoStatus("truncate", path_);
    }
    return {};
  }

  Status Sync() override {
    if (RetryOnSignal([&] { return ::fdatasync(descriptor_); }) < 0) {
      return ErrnoStatus("sync", path_);
    }
    return {};
  }

  StatusOr<std::int64_t> size() const override {
    struct stat about {};
    if (::fstat(descriptor_, &about) < 0) return ErrnoStatus("stat", path_);
    return static_cast<std::int64_t>(about.st_size);
  }

 private:
  const int descriptor_;
  const std::string path_;
};

int OpenFlags(FileSystem::Mode mode) {
  switch (mode) {
    case FileSystem::Mode::kRead:
      return O_RDONLY;
    case FileSystem::Mode::kReadWrite:
      return O_RDWR;
    case FileSystem::Mode::kCreate:
      return O_RDWR | O_CREAT;
  }
  return O_RDONLY;
}

StatusOr<bool> IsFolder(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) < 0) return ErrnoStatus("stat", path);
  return S_ISDIR(about.st_mode);
}

class PosixFileSystem final : public FileSystem {
 public:
  StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override {
    const int descriptor = RetryOnSignal(
        [&] { return ::open(path.c_str(), OpenFlags(mode) | O_CLOEXEC, S_IRUSR | S_IWUSR); });
    if (descriptor < 0) return ErrnoStatus("open", path);
    return std::unique_ptr<File>(std::make_unique<PosixFile>(descriptor, path));
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) < 0) {
      return ErrnoStatus("rename", absl::StrCat(from, " to ", to));
    }
    return {};
  }

  Status Remove(const std::string& path) override {
    if (std::remove(path.c_str()) < 0) return ErrnoStatus("remove", path);
    return {};
  }

  Status MakeFolder(const std::string& path) override {
    if (::mkdir(path.c_str(), S_IRWXU) == 0) return {};
    if (errno == ENOENT && FolderOf(path) != path) {
      FED_RETURN_IF_ERROR(MakeFolder(FolderOf(path)));
      if (::mkdir(path.c_str(), S_IRWXU) == 0) return {};
    }
    Status status = ErrnoStatus("make folder", path);
    if (status.code() != StatusCode::kAlreadyExists) return status;
    FED_ASSIGN_OR_RETURN(const bool folder, IsFolder(path));
    return folder ? Status() : status;
  }

  Status SyncFolder(const std::string& path) override {
    const int descriptor =
        RetryOnSignal([&] { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (descriptor < 0) return ErrnoStatus("open folder", path);
    Status status;
    if (RetryOnSignal([&] { return ::fsync(descriptor); }) < 0) {
      status = ErrnoStatus("sync folder", path);
    }
    ::close(descriptor);
    return status;
  }

  StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
    if (!folder) return ErrnoStatus("list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(folder.get())) {
      const absl::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
      errno = 0;
    }
    if (errno != 0) return ErrnoStatus("list", path);
    std::sort(names.begin(), names.end());
    return names;
  }

  StatusOr<bool> Exists(const std::string& path) const override {
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrnoStatus("stat", path);
  }
};

}  // namespace

FileSystem& FileSystem::Real() {
  static PosixFileSystem real;
  return real;
}

}  // namespace fed
