// The bytes of updates on disk, from their first piece until their round has ended.
#ifndef FED_SERVER_INGEST_SPOOL_H_
#define FED_SERVER_INGEST_SPOOL_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/ids.h"
#include "common/crypto/digest.h"
#include "fed/status.h"
#include "server/store/records.h"

namespace fed::server {

// <root>/<job>/<assignment>-<digest hex>: one file an update. Thread-safe; one writer an update is
// the intake's business.
class Spool {
 public:
  static StatusOr<std::unique_ptr<Spool>> Open(FileSystem& files, const std::string& root);

  struct Key {
    JobId job;
    AssignmentId assignment;
    Digest digest;
  };

  // Kept contents, if it is there (a resume). Another digest of the same assignment is removed.
  StatusOr<std::unique_ptr<File>> OpenForWriting(const Key& key);
  // Makes the file and its name durable.
  Status Sync(const Key& key, File& file);
  std::string NameOf(const Key& key) const;  // relative to the root: Receipt::spool_file

  // The bytes of a receipt, read-only. kNotFound.
  StatusOr<std::unique_ptr<File>> OpenForReading(const Receipt& receipt) const;

  Status Remove(const JobId& job, AssignmentId assignment);
  Status RemoveJob(const JobId& job);
  // Every (job, assignment) that has a file: at start, those that nobody waits for are removed.
  struct Held {
    JobId job;
    AssignmentId assignment;
  };
  StatusOr<std::vector<Held>> List() const;

 private:
  Spool(FileSystem& files, std::string root) : files_(files), root_(std::move(root)) {}

  FileSystem& files_;
  std::string root_;
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_SPOOL_H_
