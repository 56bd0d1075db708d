// What a manifest's digest covers, and what must agree in it.
#include "common/codec/manifest.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/limits.h"

namespace fed {
namespace {

constexpr absl::string_view kMagic = "fedmanifest1";

Status Malformed(absl::string_view what) {
  return Status(StatusCode::kDataLoss, absl::StrCat("manifest: ", what));
}

Status ValidateFile(const ManifestFile& file) {
  if (file.group.empty() || file.group.size() > static_cast<std::size_t>(kMaxNameBytes)) {
    return Malformed(
        absl::StrCat("group name of ", file.group.size(), " bytes: expected 1 to ", kMaxNameBytes));
  }
  if (file.bytes < 0) {
    return Malformed(absl::StrCat("file ", file.group, " has ", file.bytes, " bytes"));
  }
  const std::int64_t chunks = file.bytes / kChunkBytes + (file.bytes % kChunkBytes != 0 ? 1 : 0);
  if (static_cast<std::int64_t>(file.chunks.size()) != chunks) {
    return Malformed(absl::StrCat("file ", file.group, " of ", file.bytes, " bytes has ",
                                  file.chunks.size(), " chunks: expected ", chunks));
  }
  if (const Digest digest = FileDigest(file.bytes, file.chunks); digest != file.digest) {
    return Malformed(absl::StrCat("file ", file.group, " has digest ", file.digest.ToHex(),
                                  ", its chunks make ", digest.ToHex()));
  }
  return {};
}

}  // namespace

const ManifestFile* Manifest::Find(const std::string& group) const {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const ManifestFile& file) { return file.group == group; });
  return found == files.end() ? nullptr : &*found;
}

Status Validate(const Manifest& manifest) {
  if (manifest.job.value.empty() ||
      manifest.job.value.size() > static_cast<std::size_t>(kMaxJobNameBytes)) {
    return Malformed(absl::StrCat("job name of ", manifest.job.value.size(),
                                  " bytes: expected 1 to ", kMaxJobNameBytes));
  }
  if (manifest.version.value < 0) {
    return Malformed(absl::StrCat("version ", manifest.version.value));
  }
  if (manifest.files.empty() || manifest.files.size() > static_cast<std::size_t>(kMaxGroups)) {
    return Malformed(absl::StrCat(manifest.files.size(), " files: expected 1 to ", kMaxGroups));
  }
  for (std::size_t i = 0; i < manifest.files.size(); ++i) {
    FED_RETURN_IF_ERROR(ValidateFile(manifest.files[i]));
    if (i > 0 && manifest.files[i - 1].group >= manifest.files[i].group) {
      return Malformed(absl::StrCat("group ", manifest.files[i].group, " after ",
                                    manifest.files[i - 1].group, ": not sorted"));
    }
  }
  return {};
}

Digest ManifestDigest(const Manifest& manifest) {
  std::vector<std::uint8_t> bytes;
  ByteWriter writer(bytes);
  writer.Raw(AsBytes(kMagic));
  writer.ShortText(manifest.job.value);
  writer.I64(manifest.version.value);
  for (const ManifestFile& file : manifest.files) {
    writer.ShortText(file.group);
    writer.I64(file.bytes);
    writer.Raw(file.digest.bytes);
  }
  return Sha256(bytes);
}

}  // namespace fed
