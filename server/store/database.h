// A connection to SQLite 3: opened with our settings, errors as fed::Status.
#ifndef FED_SERVER_STORE_DATABASE_H_
#define FED_SERVER_STORE_DATABASE_H_

#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "fed/status.h"

struct sqlite3;
struct sqlite3_stmt;

namespace fed::server {

// kFull: what was committed survives a power cut. kNormal: the death of the process only.
enum class Durability { kFull, kNormal };

// One connection. Used by one thread at a time. Codes of its errors:
//   kResourceExhausted   the disk, a quota or the memory is full
//   kUnavailable         reading or writing failed, or another process holds the lock
//   kFailedPrecondition  the file can not be opened or written by us
//   kDataLoss            it is damaged or no database
//   kInternal            a constraint or our own SQL
class Database {
 public:
  // Makes the file, for its owner only, if there is none. Write-ahead log, foreign keys on.
  static StatusOr<std::unique_ptr<Database>> Open(const std::string& path, Durability durability);
  // A second connection to what is open already.
  static StatusOr<std::unique_ptr<Database>> OpenReadOnly(const std::string& path);

  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Runs statements, separated by ';', that return nothing.
  Status Execute(const char* sql);

  // False after SQLite has rolled back by itself, as it may on a full disk.
  bool in_transaction() const;

  const std::string& path() const { return path_; }

  // The first statement's error since the last call; OK: none. A transaction with one is not to be
  // committed, whatever became of that error.
  Status TakeFailure();

 private:
  friend class Query;
  struct Close {
    void operator()(sqlite3* db) const;
  };
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

  explicit Database(std::string path) : path_(std::move(path)) {}
  Status Connect(int flags);
  StatusOr<sqlite3_stmt*> Prepare(absl::string_view sql);  // kept until the end
  Status Fail(int code);                                   // of the last call

  std::string path_;
  std::unique_ptr<sqlite3, Close> db_;
  std::map<std::string, Statement, std::less<>> statements_;  // by their text; freed before db_
  Status failure_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_DATABASE_H_
