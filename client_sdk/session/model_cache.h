// Files of versions that this device has fetched, so that only changed chunks travel.
#ifndef FED_CLIENT_SDK_SESSION_MODEL_CACHE_H_
#define FED_CLIENT_SDK_SESSION_MODEL_CACHE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "client_sdk/session/chunk_assembly.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/codec/manifest.h"
#include "fed/status.h"

namespace fed::client {

// A folder of files named by digest, <hex>.safetensors, and at most one that is being put together,
// <hex>.part, which survives the process. Nothing is synced: whatever is found at the start is
// hashed, and what does not fit its name is removed. The files used longest ago go first, so that
// all together stay within max_bytes; those of the version at hand never go. Not thread-safe: one
// call at a time; calls block on the disk.
class ModelCache {
 public:
  static StatusOr<std::unique_ptr<ModelCache>> Open(FileSystem& files, const Log& log,
                                                    std::string folder, std::int64_t max_bytes);

  // The path of a file that is there in full.
  std::optional<std::string> Find(const ManifestFile& file);

  // Begins one file of a version, with all chunks that are already here in any file. Ends an
  // assembly begun before.
  StatusOr<std::unique_ptr<ChunkAssembly>> Begin(const Manifest& manifest,
                                                 const ManifestFile& file);

  // Nothing is missing any more: the path of the file. REQUIRES: begun last.
  StatusOr<std::string> Finish(const ChunkAssembly& assembly);

 private:
  struct Held {
    Digest digest;
    std::int64_t bytes = 0;
    std::vector<Digest> chunks;
  };

  ModelCache(FileSystem& files, const Log& log, std::string folder, std::int64_t max_bytes)
      : files_(files), log_(log), folder_(std::move(folder)), max_bytes_(max_bytes) {}

  Status Load();
  Status LoadFile(const std::string& name);
  Status RemoveOtherParts(const std::string& keep);
  Status CopyFrom(const Held& held, ChunkAssembly& assembly);
  Status MakeRoom(const Manifest& manifest, std::int64_t bytes);
  std::string PathOf(const Digest& digest, absl::string_view ending) const;

  FileSystem& files_;
  const Log& log_;
  const std::string folder_;
  const std::int64_t max_bytes_;
  std::vector<Held> held_;  // the one used last is last
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_MODEL_CACHE_H_
