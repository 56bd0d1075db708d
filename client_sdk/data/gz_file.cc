// zlib reads both kinds through one call.
#include "client_sdk/data/gz_file.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"

namespace fed::client {
namespace {

constexpr unsigned kBufferBytes = 128 << 10;
constexpr std::size_t kMostAtOnce = 1 << 30;  // gzread counts in int

Status OpenError(const std::string& path, int error) {
  StatusCode code = StatusCode::kUnavailable;
  if (error == ENOENT || error == ENOTDIR) code = StatusCode::kNotFound;
  if (error == EACCES || error == EPERM) code = StatusCode::kPermissionDenied;
  if (error == ENOMEM) code = StatusCode::kResourceExhausted;
  return Status(code, absl::StrCat(path, ": ", std::strerror(error)));
}

}  // namespace

StatusOr<GzFile> GzFile::Open(const std::string& path) {
  errno = 0;
  gzFile_s* file = gzopen(path.c_str(), "rbe");  // e: closed on exec
  if (file == nullptr) return OpenError(path, errno == 0 ? ENOMEM : errno);
  gzbuffer(file, kBufferBytes);
  return GzFile(path, file);
}

GzFile::GzFile(std::string path, gzFile_s* file) : path_(std::move(path)), file_(file) {}

void GzFile::Closed::operator()(gzFile_s* file) const { gzclose_r(file); }

StatusOr<std::size_t> GzFile::Read(absl::Span<std::uint8_t> out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const auto wanted = static_cast<unsigned>(std::min(out.size() - done, kMostAtOnce));
    const int got = gzread(file_.get(), out.data() + done, wanted);
    int error = Z_OK;
    const char* message = gzerror(file_.get(), &error);
    if (error == Z_ERRNO) {
      return Status(StatusCode::kUnavailable, absl::StrCat(path_, ": ", message));
    }
    if (got < 0 || error == Z_BUF_ERROR) {  // the latter: ends within a compressed block
      return Status(StatusCode::kDataLoss, absl::StrCat(path_, ": damaged gzip file: ", message));
    }
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace fed::client
