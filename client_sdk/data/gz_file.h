// Reads a file from its beginning to its end, plain or gzip.
#ifndef FED_CLIENT_SDK_DATA_GZ_FILE_H_
#define FED_CLIENT_SDK_DATA_GZ_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "fed/status.h"

struct gzFile_s;  // zlib's

namespace fed::client {

// Not thread-safe. Every error names the path.
class GzFile final {
 public:
  // kNotFound: there is no such file. kPermissionDenied: it may not be read.
  static StatusOr<GzFile> Open(const std::string& path);

  // Fills `out` as far as the file goes; fewer bytes than asked for: its end. kDataLoss: damaged
  // or cut-off gzip. kUnavailable: the disk failed.
  StatusOr<std::size_t> Read(absl::Span<std::uint8_t> out);

  const std::string& path() const { return path_; }

 private:
  struct Closed {
    void operator()(gzFile_s* file) const;
  };
  GzFile(std::string path, gzFile_s* file);

  std::string path_;
  std::unique_ptr<gzFile_s, Closed> file_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_DATA_GZ_FILE_H_
