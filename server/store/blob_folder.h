// Files named by their digest: versions' files. Made whole, then visible.
#ifndef FED_SERVER_STORE_BLOB_FOLDER_H_
#define FED_SERVER_STORE_BLOB_FOLDER_H_

#include <memory>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/crypto/digest.h"
#include "fed/status.h"

namespace fed::server {

// Thread-safe. <root>/<hex digest>, and <root>/tmp/<n> while one is being made.
class BlobFolder {
 public:
  // Makes the folders and removes what was left half made.
  static StatusOr<std::unique_ptr<BlobFolder>> Open(FileSystem& files, const std::string& root);

  // A blob that is being written. Dropping it without Commit removes it. The folder outlives it.
  class Draft {
   public:
    virtual ~Draft() = default;
    virtual File& file() = 0;
    // Hashes the file, syncs it, renames it to its digest and syncs the folder: durable and visible
    // when this returns OK. The same contents again is no error. `chunks` receives their digests.
    virtual StatusOr<Digest> Commit(std::vector<Digest>* chunks = nullptr) = 0;
  };
  virtual ~BlobFolder() = default;
  virtual StatusOr<std::unique_ptr<Draft>> Begin() = 0;

  // kNotFound. Read-only.
  virtual StatusOr<std::unique_ptr<File>> Open(const Digest& digest) const = 0;
  // The digests of the blob's chunks, kept in a file beside it (<hex digest>.chunks, written before
  // the blob becomes visible): nothing is hashed again to serve it. kDataLoss if they do not make
  // up its digest.
  virtual StatusOr<std::vector<Digest>> Chunks(const Digest& digest) const = 0;
  virtual Status Remove(const Digest& digest) = 0;  // OK if there is none
  virtual StatusOr<std::vector<Digest>> List() const = 0;
  virtual std::string PathOf(const Digest& digest) const = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_BLOB_FOLDER_H_
