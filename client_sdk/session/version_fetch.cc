// The steps stand in the order in which they happen.
#include "client_sdk/session/version_fetch.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "client_sdk/session/retry.h"

namespace fed::client {
namespace {

constexpr int kMaxDamagedStreams = 3;

// The model, and what the update's further groups move. Other files of a version (an optimizer's
// state) are the server's own.
bool IsWanted(const wire::Assignment& assignment, const std::string& group) {
  const auto& groups = assignment.update_groups;
  return group == "model" ||
         (group != "delta" && std::find(groups.begin(), groups.end(), group) != groups.end());
}

}  // namespace

VersionFetch::VersionFetch(SessionContext& context, Transport& transport, ModelCache& cache,
                           const wire::Assignment& assignment, std::shared_ptr<TrainingSigns> signs,
                           Done done)
    : context_(context),
      transport_(transport),
      cache_(cache),
      assignment_(assignment),
      signs_(std::move(signs)),
      done_(std::move(done)),
      backoff_(context.NewBackoff()) {}

void VersionFetch::Stop() {
  done_ = nullptr;
  call_ = nullptr;
}

void VersionFetch::GetManifest() {
  call_ = transport_.GetManifest(
      assignment_.ref.job, assignment_.base,
      context_.OnEvents(*this, [](VersionFetch& self, StatusOr<Manifest> manifest) {
        self.OnManifest(std::move(manifest));
      }));
}

void VersionFetch::OnManifest(StatusOr<Manifest> manifest) {
  if (!done_) return;
  if (!manifest.ok()) return Repeat(manifest.status(), &VersionFetch::GetManifest);
  backoff_.Reset();
  manifest_ = *std::move(manifest);
  if (const Status status = CheckManifest(); !status.ok()) return Finish(status);
  std::int64_t bytes = 0;
  for (const ManifestFile& file : manifest_.files) {
    if (!IsWanted(assignment_, file.group)) continue;
    wanted_.push_back(&file);
    bytes += file.bytes;
  }
  if (bytes > context_.options.limits.max_model_bytes) {
    return Finish(Status(StatusCode::kFailedPrecondition,
                         absl::StrCat("a version of ", bytes, " bytes: this device's owner allows ",
                                      context_.options.limits.max_model_bytes)));
  }
  PrepareNext();
}

Status VersionFetch::CheckManifest() const {
  FED_RETURN_IF_ERROR(Validate(manifest_));
  if (ManifestDigest(manifest_) != assignment_.manifest || manifest_.Find("model") == nullptr) {
    return Status(StatusCode::kDataLoss,
                  absl::StrCat("manifest of version ", assignment_.base.value, " of ",
                               assignment_.ref.job.value, " is not the assignment's"));
  }
  return {};
}

void VersionFetch::PrepareNext() {
  if (next_ == wanted_.size()) return Finish(std::move(files_));
  const ManifestFile* file = wanted_[next_];
  context_.Work(
      *this,
      // The manifest is copied: this work may outlive the fetch.
      [cache = &cache_, manifest = manifest_, wanted = *file]() -> StatusOr<Prepared> {
        Prepared prepared;
        prepared.path = cache->Find(wanted);
        if (prepared.path) return prepared;
        FED_ASSIGN_OR_RETURN(prepared.assembly, cache->Begin(manifest, wanted));
        return prepared;
      },
      [](VersionFetch& self, StatusOr<Prepared> prepared) {
        self.OnPrepared(std::move(prepared));
      });
}

void VersionFetch::OnPrepared(StatusOr<Prepared> prepared) {
  if (!done_) return;
  if (!prepared.ok()) return Finish(prepared.status());
  if (prepared->path) return OnFile(*prepared->path);
  assembly_ = prepared->assembly;
  signs_->step = 0;
  signs_->steps = assembly_->missing_bytes();
  Download();
}

void VersionFetch::Download() {
  std::vector<wire::ChunkRange> missing = assembly_->missing();
  if (missing.empty()) return OnDownloaded(Status());
  assembly_->BeginStream();
  wire::DownloadRequest request{assignment_.ref.job, assignment_.base, assembly_->file().group,
                                std::move(missing)};
  call_ = transport_.Download(
      std::move(request),
      [assembly = assembly_, signs = signs_](std::int64_t offset,
                                             absl::Span<const std::uint8_t> piece) {
        signs->step += static_cast<std::int64_t>(piece.size());
        return assembly->Add(offset, piece);
      },
      context_.OnEvents(
          *this, [](VersionFetch& self, const Status& status) { self.OnDownloaded(status); }));
}

void VersionFetch::OnDownloaded(const Status& status) {
  if (!done_) return;
  if (!status.ok()) return Repeat(status, &VersionFetch::Download);
  if (!assembly_->missing().empty()) {
    return Repeat(Status(StatusCode::kDataLoss, "the download ended early"),
                  &VersionFetch::Download);
  }
  backoff_.Reset();
  context_.Work(
      *this, [cache = &cache_, assembly = assembly_] { return cache->Finish(*assembly); },
      [](VersionFetch& self, StatusOr<std::string> path) { self.OnFile(std::move(path)); });
}

void VersionFetch::OnFile(StatusOr<std::string> path) {
  if (!done_) return;
  if (!path.ok()) return Finish(path.status());
  assembly_ = nullptr;
  files_[wanted_[next_]->group] = *std::move(path);
  ++next_;
  PrepareNext();
}

void VersionFetch::Repeat(const Status& status, void (VersionFetch::*step)()) {
  call_ = nullptr;
  const bool damaged = status.code() == StatusCode::kDataLoss;
  if (VerdictOf(status) != Verdict::kRepeat && !(damaged && ++damaged_ < kMaxDamagedStreams)) {
    return Finish(status);
  }
  const absl::Duration wait = backoff_.Next();
  context_.log.Warn("fetch.repeated", {{"job", assignment_.ref.job.value},
                                       {"version", assignment_.base.value},
                                       {"after", absl::FormatDuration(wait)},
                                       {"why", status.message()}});
  context_.After(wait, *this, [step](VersionFetch& self) {
    if (self.done_) (self.*step)();
  });
}

void VersionFetch::Finish(StatusOr<VersionFiles> result) {
  call_ = nullptr;
  if (done_) std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace fed::client
