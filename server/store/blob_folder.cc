// Files named by their digest.
//
// Invariants:
//   1. What stands at <root>/<hex> was whole and on disk before it had that name.
//   2. <root>/<hex>.chunks was there, durably, before <root>/<hex>, and goes after it.
//   3. <root>/tmp holds drafts only. What else a dead process left is removed by Open.
#include "server/store/blob_folder.h"

#include <atomic>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "common/base/mutex.h"

namespace fed::server {
namespace {

constexpr absl::string_view kChunksSuffix = ".chunks";
constexpr std::size_t kDigestBytes = 32;

std::string Join(const std::vector<Digest>& digests) {
  std::string bytes;
  bytes.reserve(digests.size() * kDigestBytes);
  for (const Digest& digest : digests) absl::StrAppend(&bytes, AsText(digest.bytes));
  return bytes;
}

StatusOr<std::vector<Digest>> Split(absl::string_view bytes) {
  std::vector<Digest> digests;
  for (; !bytes.empty(); bytes.remove_prefix(std::min(kDigestBytes, bytes.size()))) {
    FED_ASSIGN_OR_RETURN(const Digest digest,
                         Digest::FromBytes(AsBytes(bytes.substr(0, kDigestBytes))));
    digests.push_back(digest);
  }
  return digests;
}

class DigestFolder final : public BlobFolder {
 public:
  DigestFolder(FileSystem& files, std::string root)
      : files_(files), root_(std::move(root)), drafts_(JoinPath(root_, "tmp")) {}

  Status Prepare() {
    FED_RETURN_IF_ERROR(files_.MakeFolder(drafts_));
    FED_RETURN_IF_ERROR(RemoveDrafts());
    FED_RETURN_IF_ERROR(RemoveLoneChunks());
    // The folders' own names have to outlive a power cut, too.
    FED_RETURN_IF_ERROR(files_.SyncFolder(drafts_));
    FED_RETURN_IF_ERROR(files_.SyncFolder(root_));
    return files_.SyncFolder(FolderOf(root_));
  }

  StatusOr<std::unique_ptr<Draft>> Begin() override;

  StatusOr<std::unique_ptr<File>> Open(const Digest& digest) const override {
    return files_.Open(PathOf(digest), FileSystem::Mode::kRead);
  }

  StatusOr<std::vector<Digest>> Chunks(const Digest& digest) const override {
    FED_ASSIGN_OR_RETURN(const std::unique_ptr<File> blob, Open(digest));
    FED_ASSIGN_OR_RETURN(const std::int64_t bytes, blob->size());
    const std::int64_t chunks = bytes / kChunkBytes + (bytes % kChunkBytes == 0 ? 0 : 1);
    const StatusOr<std::string> kept =
        ReadFile(files_, ChunksPathOf(digest), chunks * static_cast<std::int64_t>(kDigestBytes));
    if (kept.status().code() == StatusCode::kUnavailable) return kept.status();
    if (kept.ok()) {
      const StatusOr<std::vector<Digest>> digests = Split(*kept);
      if (digests.ok() && FileDigest(bytes, *digests) == digest) return digests;
    }
    return Status(StatusCode::kDataLoss,
                  absl::StrCat(ChunksPathOf(digest), " does not hold the digests of the ", chunks,
                               " chunks of its blob"));
  }

  Status Remove(const Digest& digest) override {
    MutexLock lock(names_);
    FED_RETURN_IF_ERROR(RemoveIfThere(PathOf(digest)));
    return RemoveIfThere(ChunksPathOf(digest));
  }

  StatusOr<std::vector<Digest>> List() const override {
    FED_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(root_));
    std::vector<Digest> digests;
    for (const std::string& name : names) {
      const StatusOr<Digest> digest = Digest::FromHex(name);
      if (digest.ok()) digests.push_back(*digest);
    }
    return digests;
  }

  std::string PathOf(const Digest& digest) const override {
    return JoinPath(root_, digest.ToHex());
  }

  // Gives a synced draft its name, in place of the same contents if they are there.
  Status Publish(const std::string& draft, const Digest& digest,
                 const std::vector<Digest>& chunks) {
    MutexLock lock(names_);
    FED_RETURN_IF_ERROR(WriteFileDurably(files_, ChunksPathOf(digest), Join(chunks)));
    FED_RETURN_IF_ERROR(files_.Rename(draft, PathOf(digest)));
    return files_.SyncFolder(root_);
  }

 private:
  std::string ChunksPathOf(const Digest& digest) const {
    return absl::StrCat(PathOf(digest), kChunksSuffix);
  }

  Status RemoveIfThere(const std::string& path) {
    Status status = files_.Remove(path);
    return status.code() == StatusCode::kNotFound ? Status() : status;
  }

  Status RemoveDrafts() {
    FED_ASSIGN_OR_RETURN(const std::vector<std::string> left, files_.List(drafts_));
    for (const std::string& name : left) {
      FED_RETURN_IF_ERROR(files_.Remove(JoinPath(drafts_, name)));
    }
    return Status();
  }

  // Digests of chunks whose blob never came, or is gone; half written ones.
  Status RemoveLoneChunks() {
    FED_ASSIGN_OR_RETURN(const std::vector<std::string> names, files_.List(root_));
    const std::set<absl::string_view> all(names.begin(), names.end());
    for (const std::string& name : names) {
      const absl::string_view hex = absl::string_view(name).substr(0, 2 * kDigestBytes);
      if (hex.size() == name.size() || !Digest::FromHex(hex).ok()) continue;
      const bool wanted = name == absl::StrCat(hex, kChunksSuffix) && all.count(hex) == 1;
      if (!wanted) FED_RETURN_IF_ERROR(files_.Remove(JoinPath(root_, name)));
    }
    return Status();
  }

  FileSystem& files_;
  const std::string root_, drafts_;
  std::atomic<std::int64_t> last_draft_ = 0;
  Mutex names_;  // held while a blob and its chunks' digests come or go
};

class FileDraft final : public BlobFolder::Draft {
 public:
  FileDraft(FileSystem& files, DigestFolder& folder, std::string path, std::unique_ptr<File> file)
      : files_(files), folder_(folder), path_(std::move(path)), file_(std::move(file)) {}

  // A file that can not be removed now goes when the folder is opened the next time.
  ~FileDraft() override {
    if (!committed_) (void)files_.Remove(path_);
  }

  File& file() override { return *file_; }

  StatusOr<Digest> Commit(std::vector<Digest>* chunks) override {
    if (committed_) return Status(StatusCode::kFailedPrecondition, path_ + " is committed");
    FED_ASSIGN_OR_RETURN(const std::int64_t bytes, file_->size());
    FED_ASSIGN_OR_RETURN(std::vector<Digest> digests, ChunkDigests(*file_));
    const Digest digest = FileDigest(bytes, digests);
    FED_RETURN_IF_ERROR(file_->Sync());
    FED_RETURN_IF_ERROR(folder_.Publish(path_, digest, digests));
    committed_ = true;
    if (chunks != nullptr) *chunks = std::move(digests);
    return digest;
  }

 private:
  FileSystem& files_;
  DigestFolder& folder_;
  const std::string path_;
  std::unique_ptr<File> file_;
  bool committed_ = false;
};

StatusOr<std::unique_ptr<BlobFolder::Draft>> DigestFolder::Begin() {
  const std::string path = JoinPath(drafts_, absl::StrCat(++last_draft_));
  FED_ASSIGN_OR_RETURN(std::unique_ptr<File> file, files_.Open(path, FileSystem::Mode::kCreate));
  std::unique_ptr<Draft> draft = std::make_unique<FileDraft>(files_, *this, path, std::move(file));
  return draft;
}

}  // namespace

StatusOr<std::unique_ptr<BlobFolder>> BlobFolder::Open(FileSystem& files, const std::string& root) {
  auto folder = std::make_unique<DigestFolder>(files, root);
  FED_RETURN_IF_ERROR(folder->Prepare());
  std::unique_ptr<BlobFolder> opened = std::move(folder);
  return opened;
}

}  // namespace fed::server
