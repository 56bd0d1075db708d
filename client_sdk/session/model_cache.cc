// Whole files by digest; a new one takes the chunks that older ones share with it.
#include "client_sdk/session/model_cache.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "common/base/limits.h"
#include "common/crypto/digest.h"

namespace fed::client {
namespace {

constexpr absl::string_view kWhole = ".safetensors", kPart = ".part";

bool Names(const Manifest& manifest, const Digest& digest) {
  return std::any_of(manifest.files.begin(), manifest.files.end(),
                     [&](const ManifestFile& file) { return file.digest == digest; });
}

}  // namespace

StatusOr<std::unique_ptr<ModelCache>> ModelCache::Open(FileSystem& files, const Log& log,
                                                       std::string folder, std::int64_t max_bytes) {
  FED_RETURN_IF_ERROR(files.MakeFolder(folder));
  std::unique_ptr<ModelCache> cache(  // private constructor
      new ModelCache(files, log, std::move(folder), max_bytes));
  FED_RETURN_IF_ERROR(cache->Load());
  return cache;
}

Status ModelCache::Load() {
  FED_ASSIGN_OR_RETURN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    if (absl::EndsWith(name, kWhole)) FED_RETURN_IF_ERROR(LoadFile(name));
  }
  return {};
}

Status ModelCache::LoadFile(const std::string& name) {
  const std::string path = JoinPath(folder_, name);
  Held held;
  {
    FED_ASSIGN_OR_RETURN(const auto file, files_.Open(path, FileSystem::Mode::kRead));
    FED_ASSIGN_OR_RETURN(held.bytes, file->size());
    FED_ASSIGN_OR_RETURN(held.chunks, ChunkDigests(*file));
  }
  held.digest = FileDigest(held.bytes, held.chunks);
  if (held.digest.ToHex() + std::string(kWhole) == name) {
    held_.push_back(std::move(held));
    return {};
  }
  log_.Warn("cache.damaged", {{"file", name}});
  return files_.Remove(path);
}

std::optional<std::string> ModelCache::Find(const ManifestFile& file) {
  const auto found = std::find_if(held_.begin(), held_.end(),
                                  [&](const Held& h) { return h.digest == file.digest; });
  if (found == held_.end()) return std::nullopt;
  std::rotate(found, found + 1, held_.end());
  return PathOf(file.digest, kWhole);
}

StatusOr<std::unique_ptr<ChunkAssembly>> ModelCache::Begin(const Manifest& manifest,
                                                           const ManifestFile& file) {
  const std::string path = PathOf(file.digest, kPart);
  FED_RETURN_IF_ERROR(RemoveOtherParts(path));
  FED_ASSIGN_OR_RETURN(auto out, files_.Open(path, FileSystem::Mode::kCreate));
  auto assembly = std::make_unique<ChunkAssembly>(file, std::move(out));
  FED_RETURN_IF_ERROR(assembly->TakeWhatIsThere());
  for (const Held& held : held_) FED_RETURN_IF_ERROR(CopyFrom(held, *assembly));
  FED_RETURN_IF_ERROR(MakeRoom(manifest, file.bytes));
  return assembly;
}

StatusOr<std::string> ModelCache::Finish(const ChunkAssembly& assembly) {
  const ManifestFile& file = assembly.file();
  const std::string path = PathOf(file.digest, kWhole);
  FED_RETURN_IF_ERROR(files_.Rename(PathOf(file.digest, kPart), path));
  held_.push_back({file.digest, file.bytes, file.chunks});
  return path;
}

Status ModelCache::RemoveOtherParts(const std::string& keep) {
  FED_ASSIGN_OR_RETURN(const auto names, files_.List(folder_));
  for (const std::string& name : names) {
    const std::string path = JoinPath(folder_, name);
    if (absl::EndsWith(name, kPart) && path != keep) FED_RETURN_IF_ERROR(files_.Remove(path));
  }
  return {};
}

Status ModelCache::CopyFrom(const Held& held, ChunkAssembly& assembly) {
  std::map<Digest, std::size_t> places;
  for (std::size_t i = 0; i < held.chunks.size(); ++i) places.emplace(held.chunks[i], i);
  std::unique_ptr<File> file;
  std::vector<std::uint8_t> chunk;
  for (const wire::ChunkRange& range : assembly.missing()) {
    for (std::int64_t c = range.first; c < range.first + range.count; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const auto place = places.find(assembly.file().chunks[i]);
      if (place == places.end()) continue;
      const std::int64_t from = static_cast<std::int64_t>(place->second) * kChunkBytes;
      if (from + assembly.ChunkBytes(i) > held.bytes) continue;
      if (file == nullptr) {
        FED_ASSIGN_OR_RETURN(file,
                             files_.Open(PathOf(held.digest, kWhole), FileSystem::Mode::kRead));
      }
      chunk.resize(static_cast<std::size_t>(assembly.ChunkBytes(i)));
      FED_RETURN_IF_ERROR(file->ReadAt(from, absl::MakeSpan(chunk)));
      FED_RETURN_IF_ERROR(assembly.Offer(i, chunk).status());  // false: rotten, fetched instead
    }
  }
  return {};
}

Status ModelCache::MakeRoom(const Manifest& manifest, std::int64_t bytes) {
  std::int64_t total = bytes;
  for (const Held& held : held_) total += held.bytes;
  for (auto held = held_.begin(); held != held_.end() && total > max_bytes_;) {
    if (Names(manifest, held->digest)) {
      ++held;
      continue;
    }
    FED_RETURN_IF_ERROR(files_.Remove(PathOf(held->digest, kWhole)));
    total -= held->bytes;
    held = held_.erase(held);
  }
  return {};
}

std::string ModelCache::PathOf(const Digest& digest, absl::string_view ending) const {
  return JoinPath(folder_, digest.ToHex() + std::string(ending));
}

}  // namespace fed::client
