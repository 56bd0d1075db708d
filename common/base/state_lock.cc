// flock(2) on <folder>/lock, which holds the pid for people. Not through FileSystem: a lock is
// nothing that a power cut could leave behind.
#include "common/base/state_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/file.h"

namespace fed {
namespace {

std::string PidIn(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t n = ::pread(descriptor, text.data(), text.size() - 1, 0);
  if (n <= 0) return "unknown";
  return std::string(absl::StripAsciiWhitespace({text.data(), static_cast<std::size_t>(n)}));
}

Status Failed(absl::string_view what, const std::string& path) {
  const int error = errno;
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat(what, " ", path, ": ", std::generic_category().message(error)));
}

}  // namespace

StatusOr<std::unique_ptr<StateLock>> StateLock::Take(const std::string& folder) {
  FED_RETURN_IF_ERROR(FileSystem::Real().MakeFolder(folder));
  const std::string path = JoinPath(folder, "lock");
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) return Failed("open", path);
  std::unique_ptr<StateLock> lock(new StateLock(descriptor));  // private constructor
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Failed("lock", path);
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat("the state folder ", folder, " is in use by process ",
                               PidIn(descriptor), "; stop that one first"));
  }
  const std::string pid = absl::StrCat(::getpid(), "\n");
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return Failed("write", path);
  }
  return lock;
}

StateLock::~StateLock() { ::close(descriptor_); }

}  // namespace fed
