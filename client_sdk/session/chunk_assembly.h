// One file of a version, put together from its chunks.
#ifndef FED_CLIENT_SDK_SESSION_CHUNK_ASSEMBLY_H_
#define FED_CLIENT_SDK_SESSION_CHUNK_ASSEMBLY_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "common/base/file.h"
#include "common/codec/manifest.h"
#include "fed/status.h"
#include "proto/wire/participation.h"

namespace fed::client {

// Every chunk is checked against its digest before it is written; at most one is held in memory.
// Not thread-safe: one call at a time.
class ChunkAssembly {
 public:
  ChunkAssembly(ManifestFile file, std::unique_ptr<File> out)
      : file_(std::move(file)), out_(std::move(out)), have_(file_.chunks.size(), false) {}

  // Writes chunk `i`, if these bytes are it; false if they are another.
  StatusOr<bool> Offer(std::size_t i, absl::Span<const std::uint8_t> bytes);
  // Takes what the file already holds.
  Status TakeWhatIsThere();

  std::vector<wire::ChunkRange> missing() const;
  std::int64_t missing_bytes() const;

  // A stream of the missing ranges, in order, begins or begins anew.
  void BeginStream();
  // Its next bytes. kDataLoss: not where they should be, or a chunk's digest is another.
  Status Add(std::int64_t offset, absl::Span<const std::uint8_t> piece);

  const ManifestFile& file() const { return file_; }
  std::int64_t ChunkBytes(std::size_t i) const;

 private:
  std::size_t NextMissing(std::size_t from) const;

  const ManifestFile file_;
  const std::unique_ptr<File> out_;
  std::vector<bool> have_;
  std::size_t next_ = 0;               // the chunk that the stream is at
  std::vector<std::uint8_t> partial_;  // its bytes so far
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_CHUNK_ASSEMBLY_H_
