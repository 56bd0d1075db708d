// The bytes of updates on disk, from their first piece until their round has ended.
#ifndef FED_SERVER_INGEST_SPOOL_H_
#define FED_SERVER_INGEST_SPOOL_H_

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/base/mutex.h"
#include "common/crypto/digest.h"
#include "fed/status.h"
#include "server/store/records.h"

namespace fed::server {

// <root>/<job>/<assignment>-<digest hex>: one file an update. Thread-safe; one writer an update is
// the intake's business. It alone changes the folder, so it reads the names once, when it is
// opened.
class Spool {
 public:
  // Makes the root and makes its name durable in its folder; that folder's own name is the
  // caller's. `files` outlives it.
  static StatusOr<std::unique_ptr<Spool>> Open(FileSystem& files, const std::string& root);

  struct Key {
    JobId job;
    AssignmentId assignment;
    Digest digest;
  };

  // Kept contents, if it is there (a resume). Another digest of the same assignment is removed.
  // REQUIRES: the assignment has no receipt of another digest.
  StatusOr<std::unique_ptr<File>> OpenForWriting(const Key& key);
  // Makes the file and its name durable. After an error nothing can be said of the file's bytes.
  Status Sync(const Key& key, File& file);
  std::string NameOf(const Key& key) const;  // relative to the root: Receipt::spool_file

  // The bytes of a receipt, read-only. kNotFound.
  StatusOr<std::unique_ptr<File>> OpenForReading(const Receipt& receipt) const;

  Status Remove(const JobId& job, AssignmentId assignment);  // OK if there is none
  Status RemoveJob(const JobId& job);
  // Every (job, assignment) that has a file: at start, those that nobody waits for are removed.
  struct Held {
    JobId job;
    AssignmentId assignment;
    friend bool operator==(const Held&, const Held&) = default;
  };
  StatusOr<std::vector<Held>> List() const;

 private:
  using Owner = std::pair<JobId, AssignmentId>;

  Spool(FileSystem& files, std::string root) : files_(files), root_(std::move(root)) {}
  Status ReadNames();
  Status RemoveAllBut(const Owner& owner, const std::string& kept);

  FileSystem& files_;
  const std::string root_;
  mutable Mutex mu_;
  std::map<Owner, std::set<std::string>> names_ FED_GUARDED_BY(mu_);  // as NameOf gives them
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_SPOOL_H_
