// Removes version files that no row names any more.
#ifndef FED_SERVER_COORDINATE_BLOB_SWEEPER_H_
#define FED_SERVER_COORDINATE_BLOB_SWEEPER_H_

#include <set>
#include <vector>

#include "common/base/log.h"
#include "common/base/mutex.h"
#include "common/crypto/digest.h"
#include "server/store/blob_folder.h"
#include "server/store/store.h"

namespace fed::server {

// A blob is durable before the row that names it, so between the two it must not be swept: whoever
// makes one holds a Naming until its row is committed, and the sweep waits for that. Thread-safe;
// blocking.
class BlobSweeper {
 public:
  // They outlive it.
  BlobSweeper(Store& store, BlobFolder& blobs, const Log& log)
      : store_(store), blobs_(blobs), log_(log) {}

  class Naming {
   public:
    explicit Naming(BlobSweeper& sweeper);
    ~Naming();
    Naming(const Naming&) = delete;
    Naming& operator=(const Naming&) = delete;

   private:
    BlobSweeper& sweeper_;
  };

  // Now, or when nobody names any; what cannot be removed is left to the next start.
  void Sweep(const std::vector<Digest>& blobs);

 private:
  void SweepDoomed() FED_REQUIRES(mu_);

  Store& store_;
  BlobFolder& blobs_;
  const Log& log_;
  Mutex mu_;
  int naming_ FED_GUARDED_BY(mu_) = 0;
  std::set<Digest> doomed_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_BLOB_SWEEPER_H_
