// A small cache of manifests and of open files, the oldest falling out.
#include "server/coordinate/version_catalog.h"

#include <cstddef>
#include <deque>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"

namespace fed::server {
namespace {

constexpr std::size_t kKeptManifests = 64;
constexpr std::size_t kKeptFiles = 64;

// At most `limit` values; the one that was put in first makes room.
template <typename Key, typename Value>
class Recent {
 public:
  explicit Recent(std::size_t limit) : limit_(limit) {}

  std::shared_ptr<const Value> Find(const Key& key) const {
    const auto at = values_.find(key);
    return at == values_.end() ? nullptr : at->second;
  }
  // Another one under the same key stays.
  std::shared_ptr<const Value> Put(const Key& key, std::shared_ptr<const Value> value) {
    const auto [at, is_new] = values_.emplace(key, std::move(value));
    std::shared_ptr<const Value> kept = at->second;
    if (!is_new) return kept;
    order_.push_back(key);
    if (order_.size() > limit_) {
      values_.erase(order_.front());
      order_.pop_front();
    }
    return kept;
  }

 private:
  std::size_t limit_;
  std::map<Key, std::shared_ptr<const Value>> values_;
  std::deque<Key> order_;
};

Status NotKept(const JobId& job, ModelVersion version) {
  return Status(StatusCode::kNotFound,
                absl::StrCat("version ", version.value, " of job \"", job.value,
                             "\" is no longer kept: ask for a newer one"));
}

}  // namespace

StatusOr<Manifest> MakeManifest(const ModelRecord& model, const BlobFolder& blobs) {
  Manifest manifest;
  manifest.job = model.job;
  manifest.version = model.version;
  for (const auto& [group, file] : model.files) {
    ManifestFile entry;
    entry.group = group;
    entry.bytes = file.bytes;
    FED_ASSIGN_OR_RETURN(entry.digest, Digest::FromHex(file.digest));
    FED_ASSIGN_OR_RETURN(entry.chunks, blobs.Chunks(entry.digest));
    manifest.files.push_back(std::move(entry));
  }
  FED_RETURN_IF_ERROR(Validate(manifest));
  return manifest;
}

struct VersionCatalog::State {
  State(Store& its_store, BlobFolder& its_blobs) : store(its_store), blobs(its_blobs) {}

  StatusOr<std::shared_ptr<const Manifest>> ReadManifest(const JobId& job, ModelVersion version);

  Store& store;
  BlobFolder& blobs;
  Mutex mu;
  Recent<std::pair<JobId, ModelVersion>, Manifest> manifests FED_GUARDED_BY(mu){kKeptManifests};
  Recent<Digest, File> files FED_GUARDED_BY(mu){kKeptFiles};
};

VersionCatalog::VersionCatalog(Store& store, BlobFolder& blobs)
    : state_(std::make_unique<State>(store, blobs)) {}

VersionCatalog::~VersionCatalog() = default;

StatusOr<std::shared_ptr<const Manifest>> VersionCatalog::ManifestOf(const JobId& job,
                                                                     ModelVersion version) {
  {
    MutexLock lock(state_->mu);
    if (auto found = state_->manifests.Find({job, version})) return found;
  }
  return state_->ReadManifest(job, version);
}

StatusOr<std::shared_ptr<const Manifest>> VersionCatalog::State::ReadManifest(
    const JobId& job, ModelVersion version) {
  ModelRecord model;
  FED_RETURN_IF_ERROR(store.Read([&](const StoreView& view) -> Status {
    FED_ASSIGN_OR_RETURN(model, view.Model(job, version));
    return Status();
  }));
  if (!model.kept) return NotKept(job, version);
  StatusOr<Manifest> made = MakeManifest(model, blobs);
  if (made.status().code() == StatusCode::kNotFound) return NotKept(job, version);
  if (!made.ok()) return std::move(made).status();
  MutexLock lock(mu);
  return manifests.Put({job, version}, std::make_shared<const Manifest>(*std::move(made)));
}

StatusOr<std::shared_ptr<const File>> VersionCatalog::OpenFile(const JobId& job,
                                                               ModelVersion version,
                                                               const std::string& group) {
  FED_ASSIGN_OR_RETURN(const auto manifest, ManifestOf(job, version));
  const ManifestFile* const entry = manifest->Find(group);
  if (entry == nullptr) {
    return Status(StatusCode::kNotFound,
                  absl::StrCat("version ", version.value, " of job \"", job.value,
                               "\" has no group \"", group, "\""));
  }
  {
    MutexLock lock(state_->mu);
    if (auto found = state_->files.Find(entry->digest)) return found;
  }
  StatusOr<std::unique_ptr<File>> file = state_->blobs.Open(entry->digest);
  if (file.status().code() == StatusCode::kNotFound) return NotKept(job, version);
  if (!file.ok()) return std::move(file).status();
  MutexLock lock(state_->mu);
  return state_->files.Put(entry->digest, std::shared_ptr<const File>(*std::move(file)));
}

}  // namespace fed::server
