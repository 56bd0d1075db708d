// The store says what is named; nothing is swept while somebody is about to name.
#include "server/coordinate/blob_sweeper.h"

#include <string>

namespace fed::server {

BlobSweeper::Naming::Naming(BlobSweeper& sweeper) : sweeper_(sweeper) {
  MutexLock lock(sweeper_.mu_);
  ++sweeper_.naming_;
}

BlobSweeper::Naming::~Naming() {
  MutexLock lock(sweeper_.mu_);
  if (--sweeper_.naming_ == 0) sweeper_.SweepDoomed();
}

void BlobSweeper::Sweep(const std::vector<Digest>& blobs) {
  MutexLock lock(mu_);
  doomed_.insert(blobs.begin(), blobs.end());
  if (naming_ == 0) SweepDoomed();
}

void BlobSweeper::SweepDoomed() {
  for (const Digest& digest : doomed_) {
    bool named = true;
    Status status = store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(named, view.IsBlobNamed(digest.ToHex()));
      return Status();
    });
    if (status.ok() && !named) status = blobs_.Remove(digest);
    if (!status.ok()) {
      log_.Warn("blob.kept", {{"digest", digest.ToHex()}, {"reason", status.message()}});
    }
  }
  doomed_.clear();
}

}  // namespace fed::server
