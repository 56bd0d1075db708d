// A file system in memory that loses power, runs out of space and fails on demand.
#ifndef FED_TESTS_TESTING_FAKE_FILES_H_
#define FED_TESTS_TESTING_FAKE_FILES_H_

#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/base/mutex.h"

namespace fed::testing {

// As strict as POSIX allows: a file's bytes survive a power cut only as they were at its last
// Sync(), a name (of a file or a folder, made, renamed or removed) only as it was at the last
// SyncFolder() of the folder that holds it. "/" and "." are there from the start. Folders can not
// be renamed. Thread-safe; outlives its open files.
class FakeFiles final : public FileSystem {
 public:
  struct Node {  // a file whatever its name
    std::vector<std::uint8_t> live, durable;
  };

  FakeFiles();
  ~FakeFiles() override;

  StatusOr<std::unique_ptr<File>> Open(const std::string& path, Mode mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Status MakeFolder(const std::string& path) override;
  Status SyncFolder(const std::string& path) override;
  StatusOr<std::vector<std::string>> List(const std::string& path) const override;
  StatusOr<bool> Exists(const std::string& path) const override;

  // Writing calls are those that change anything: WriteAt, Truncate, Sync, SyncFolder, Rename,
  // Remove, MakeFolder, and Open that makes a file.
  std::int64_t writing_calls() const;

  // The n-th writing call from now (1: the next one) fails with `code`, once. A WriteAt that fails
  // has written the first half of its bytes; other calls have done nothing.
  void FailAt(std::int64_t n, StatusCode code = StatusCode::kUnavailable);
  // The same for the n-th and all later ones, until Crash() or FailAt(0).
  void FailFrom(std::int64_t n, StatusCode code = StatusCode::kUnavailable);

  // Writes that would need more than this in all are kResourceExhausted.
  void SetCapacity(std::int64_t bytes);

  // Cuts the power: what was not synced is gone, and files still open answer kUnavailable for ever.
  // Ends FailAt and FailFrom.
  void Crash();
  // The same, but the first half of the last write reached the disk, with zeros before it where the
  // file was shorter: blocks are written back in any order.
  void CrashTearingTheLastWrite();

 private:
  friend class FakeFile;

  struct Names {
    std::map<std::string, std::shared_ptr<Node>> files;  // by path
    std::set<std::string> folders;
  };

  Status BeginWriting(const std::string& call) FED_REQUIRES(mu_);
  Status ReserveLocked(const Node& node, std::int64_t size) FED_REQUIRES(mu_);
  Status WriteLocked(const std::shared_ptr<Node>& node, std::int64_t offset,
                     absl::Span<const std::uint8_t> bytes) FED_REQUIRES(mu_);
  Status MakeFolderLocked(const std::string& path) FED_REQUIRES(mu_);
  void CrashLocked() FED_REQUIRES(mu_);

  mutable Mutex mu_;
  Names live_ FED_GUARDED_BY(mu_), durable_ FED_GUARDED_BY(mu_);
  int life_ FED_GUARDED_BY(mu_) = 0;  // counts crashes: files of an earlier life are dead
  std::int64_t writing_calls_ FED_GUARDED_BY(mu_) = 0;
  std::int64_t fail_first_ FED_GUARDED_BY(mu_) = 0, fail_last_ FED_GUARDED_BY(mu_) = 0;
  StatusCode fail_code_ FED_GUARDED_BY(mu_) = StatusCode::kUnavailable;
  std::int64_t capacity_ FED_GUARDED_BY(mu_) = std::numeric_limits<std::int64_t>::max();
  struct LastWrite {
    std::shared_ptr<Node> node;
    std::int64_t offset = 0;
    std::vector<std::uint8_t> bytes;
  };
  LastWrite last_write_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_FAKE_FILES_H_
