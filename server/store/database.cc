// A connection to SQLite 3.
#include "server/store/database.h"

#include <sqlite3.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/file.h"
#include "server/store/query.h"

namespace fed::server {
namespace {

constexpr int kBusyTimeoutMs = 5'000;  // only another process can hold a lock that long

StatusCode CodeOf(int error) {
  switch (error & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return StatusCode::kResourceExhausted;
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return StatusCode::kUnavailable;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return StatusCode::kFailedPrecondition;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return StatusCode::kDataLoss;
    default:
      return StatusCode::kInternal;
  }
}

// SQLite says what mode it is in now, which need not be the one asked for.
Status UseWriteAheadLog(Database& db) {
  Query query(db, "PRAGMA journal_mode = WAL");
  std::string mode;
  FED_ASSIGN_OR_RETURN(const bool any, query.Next());
  if (any) query.Get(mode);
  if (mode == "wal") return Status();
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat(db.path(), ": no write-ahead log on this file system (mode \"", mode,
                             "\"): put the state on a local disk"));
}

}  // namespace

StatusOr<std::unique_ptr<Database>> Database::Open(const std::string& path, Durability durability) {
  // SQLite would make it readable for everybody; its other files take over this one's mode.
  FED_RETURN_IF_ERROR(FileSystem::Real().Open(path, FileSystem::Mode::kCreate).status());
  std::unique_ptr<Database> db(new Database(path));
  FED_RETURN_IF_ERROR(db->Connect(SQLITE_OPEN_READWRITE));
  FED_RETURN_IF_ERROR(UseWriteAheadLog(*db));
  FED_RETURN_IF_ERROR(db->Execute(durability == Durability::kFull ? "PRAGMA synchronous = FULL"
                                                                  : "PRAGMA synchronous = NORMAL"));
  FED_RETURN_IF_ERROR(db->Execute("PRAGMA foreign_keys = ON"));
  return db;
}

StatusOr<std::unique_ptr<Database>> Database::OpenReadOnly(const std::string& path) {
  std::unique_ptr<Database> db(new Database(path));
  FED_RETURN_IF_ERROR(db->Connect(SQLITE_OPEN_READONLY));
  return db;
}

Database::~Database() = default;

Status Database::Connect(int flags) {
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(path_.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, /*zVfs=*/nullptr);
  db_.reset(opened);  // there even after most errors, to say what was wrong
  if (code != SQLITE_OK) return Fail(code);
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_busy_timeout(opened, kBusyTimeoutMs);
  return Status();
}

Status Database::Execute(const char* sql) {
  const int code = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : Fail(code);
}

bool Database::in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }

Status Database::TakeFailure() { return std::exchange(failure_, Status()); }

StatusOr<sqlite3_stmt*> Database::Prepare(absl::string_view sql) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second.get();
  sqlite3_stmt* made = nullptr;
  const int code = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &made, nullptr);
  if (code != SQLITE_OK) return Fail(code);
  statements_.emplace(std::string(sql), Statement(made));
  return made;
}

Status Database::Fail(int code) {
  const char* text = db_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db_.get());
  const int extended = db_ == nullptr ? code : sqlite3_extended_errcode(db_.get());
  Status status(CodeOf(code), absl::StrCat(path_, ": ", text, " (SQLite error ", extended, ")"));
  if (failure_.ok()) failure_ = status;
  return status;
}

void Database::Close::operator()(sqlite3* db) const { sqlite3_close(db); }

void Database::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

}  // namespace fed::server
