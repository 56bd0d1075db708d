// The store in production: one connection that writes, a few that read.
#include "server/store/sqlite_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "server/store/migrations.h"
#include "server/store/shared_commit.h"
#include "server/store/sqlite_tables.h"
#include "server/store/write_queue.h"

namespace fed::server {
namespace {

constexpr std::size_t kWritesPerCommit = 256;  // bounds how long the first of them waits
constexpr std::size_t kIdleReaders = 8;        // connections kept; more are opened when needed

// Connections that read. Thread-safe.
class ReaderPool {
 public:
  explicit ReaderPool(std::string path) : path_(std::move(path)) {}

  StatusOr<std::unique_ptr<Database>> Take() {
    {
      MutexLock lock(mu_);
      if (!idle_.empty()) {
        std::unique_ptr<Database> reader = std::move(idle_.back());
        idle_.pop_back();
        return reader;
      }
    }
    return Database::OpenReadOnly(path_);
  }

  void GiveBack(std::unique_ptr<Database> reader) {
    MutexLock lock(mu_);
    if (idle_.size() < kIdleReaders) idle_.push_back(std::move(reader));
  }

 private:
  const std::string path_;
  Mutex mu_;
  std::vector<std::unique_ptr<Database>> idle_ FED_GUARDED_BY(mu_);
};

class SqliteStore final : public Store {
 public:
  SqliteStore(std::unique_ptr<Database> writer, const SqliteStoreOptions& options)
      : writer_(std::move(writer)),
        on_commit_(options.on_commit),
        readers_(options.path),
        queue_([this](absl::Span<PendingWrite* const> writes) { Commit(writes); },
               kWritesPerCommit) {}

  Status Read(absl::FunctionRef<Status(const StoreView&)> body) const override {
    FED_ASSIGN_OR_RETURN(std::unique_ptr<Database> reader, readers_.Take());
    FED_RETURN_IF_ERROR(reader->Execute("BEGIN"));  // the first statement takes the snapshot
    const Status status = body(SqliteTables(*reader));
    // A connection that can not end its transaction is not used again.
    if (reader->Execute("COMMIT").ok()) readers_.GiveBack(std::move(reader));
    return status;
  }

  Status Write(absl::FunctionRef<Status(StoreEdit&)> body) override { return queue_.Run(body); }

 private:
  // Called by the queue: by one thread at a time.
  void Commit(absl::Span<PendingWrite* const> writes) {
    if (broken_) {
      for (PendingWrite* write : writes) {
        write->status =
            Status(StatusCode::kUnavailable, "an earlier commit failed: the process must restart");
      }
      return;
    }
    const int durable = CommitTogether(*writer_, writes);
    broken_ = std::any_of(writes.begin(), writes.end(), [](const PendingWrite* write) {
      return write->status.code() == StatusCode::kUnknown;
    });
    if (durable > 0 && on_commit_) on_commit_(durable);
  }

  const std::unique_ptr<Database> writer_;  // closed last: it keeps the log alive for the readers
  const std::function<void(int)> on_commit_;
  bool broken_ = false;  // a commit may or may not have happened
  mutable ReaderPool readers_;
  WriteQueue queue_;
};

}  // namespace

StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteStoreOptions& options) {
  FED_ASSIGN_OR_RETURN(std::unique_ptr<Database> writer,
                       Database::Open(options.path, options.durability));
  FED_RETURN_IF_ERROR(Migrate(*writer, SchemaMigrations()));
  std::unique_ptr<Store> store = std::make_unique<SqliteStore>(std::move(writer), options);
  return store;
}

}  // namespace fed::server
