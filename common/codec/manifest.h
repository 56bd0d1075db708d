// What a model version consists of: files, and the digests of their chunks.
#ifndef FED_COMMON_CODEC_MANIFEST_H_
#define FED_COMMON_CODEC_MANIFEST_H_

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/crypto/digest.h"
#include "fed/status.h"

namespace fed {

struct ManifestFile {
  std::string group;  // "model", "control": sorted, no name twice
  std::int64_t bytes = 0;
  Digest digest;               // FileDigest(bytes, chunks)
  std::vector<Digest> chunks;  // ceil(bytes / kChunkBytes)
  friend bool operator==(const ManifestFile&, const ManifestFile&) = default;
};

struct Manifest {
  JobId job;
  ModelVersion version;
  std::vector<ManifestFile> files;
  friend bool operator==(const Manifest&, const Manifest&) = default;

  const ManifestFile* Find(const std::string& group) const;  // null if there is none
};

// kDataLoss: names, order, counts or file digests do not agree.
Status Validate(const Manifest& manifest);

// SHA-256 over ("fedmanifest1", u16 length and job, i64 version, and of each file: u16 length and
// group, i64 bytes, digest).
Digest ManifestDigest(const Manifest& manifest);

}  // namespace fed

#endif  // FED_COMMON_CODEC_MANIFEST_H_
