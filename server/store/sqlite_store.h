// The store in production: SQLite in one file.
#ifndef FED_SERVER_STORE_SQLITE_STORE_H_
#define FED_SERVER_STORE_SQLITE_STORE_H_

#include <functional>
#include <memory>
#include <string>

#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/store.h"

namespace fed::server {

struct SqliteStoreOptions {
  std::string path;  // SQLite keeps <path>-wal and <path>-shm beside it while it is open
  Durability durability = Durability::kFull;
  std::function<void(int writes)> on_commit;  // how many writes a commit made durable; may be empty
};

// Opens the file, or makes it, and brings its schema up to date. One process at a time: the caller
// holds the state directory's lock. The codes of Database and Migrate.
//
// Reads: a snapshot each, on connections of their own; they wait for nobody. Writes: those that
// come during a commit share the next one. After a write that was kUnknown all others are
// kUnavailable, without having run.
StatusOr<std::unique_ptr<Store>> OpenSqliteStore(const SqliteStoreOptions& options);

}  // namespace fed::server

#endif  // FED_SERVER_STORE_SQLITE_STORE_H_
