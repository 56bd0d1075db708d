// One run of a prepared statement.
#include "server/store/query.h"

#include <sqlite3.h>

#include "common/base/check.h"
#include "server/store/stored_time.h"

namespace fed::server {
namespace {

// A null pointer would be bound as NULL, which is not the empty text.
const char* DataOf(absl::string_view bytes) { return bytes.data() == nullptr ? "" : bytes.data(); }

}  // namespace

Query::Query(Database& db, absl::string_view sql) : db_(db) {
  StatusOr<sqlite3_stmt*> prepared = db.Prepare(sql);
  if (!prepared.ok()) {
    error_ = prepared.status();
    return;
  }
  statement_ = *prepared;
  FED_CHECK(sqlite3_stmt_busy(statement_) == 0);
}

Query::~Query() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

StatusOr<bool> Query::Next() {
  if (!error_.ok()) return error_;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  error_ = db_.Fail(code);
  return error_;
}

Status Query::Run() {
  while (true) {
    FED_ASSIGN_OR_RETURN(const bool more, Next());
    if (!more) return Status();
  }
}

void Query::BindOne(int at, std::int64_t value) {
  if (statement_ != nullptr) Keep(sqlite3_bind_int64(statement_, at, value));
}

void Query::BindOne(int at, double value) {
  if (statement_ != nullptr) Keep(sqlite3_bind_double(statement_, at, value));
}

void Query::BindOne(int at, absl::string_view text) {
  if (statement_ == nullptr) return;
  Keep(sqlite3_bind_text64(statement_, at, DataOf(text), text.size(), SQLITE_TRANSIENT,
                           SQLITE_UTF8));
}

void Query::BindOne(int at, Blob blob) {
  if (statement_ == nullptr) return;
  Keep(
      sqlite3_bind_blob64(statement_, at, DataOf(blob.bytes), blob.bytes.size(), SQLITE_TRANSIENT));
}

void Query::BindOne(int at, absl::Time time) { BindOne(at, ToStored(time)); }

void Query::BindOne(int at, absl::Duration duration) { BindOne(at, ToStored(duration)); }

void Query::GetOne(int at, std::int64_t& value) const {
  value = sqlite3_column_int64(statement_, at);
}

void Query::GetOne(int at, double& value) const { value = sqlite3_column_double(statement_, at); }

void Query::GetOne(int at, std::string& bytes) const {
  const void* data = sqlite3_column_blob(statement_, at);  // before its size, as SQLite demands
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, at));
  bytes = size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
}

void Query::GetOne(int at, absl::Time& time) const {
  std::int64_t stored = 0;
  GetOne(at, stored);
  time = TimeFromStored(stored);
}

void Query::GetOne(int at, absl::Duration& duration) const {
  std::int64_t stored = 0;
  GetOne(at, stored);
  duration = DurationFromStored(stored);
}

void Query::Keep(int code) {
  if (code != SQLITE_OK && error_.ok()) error_ = db_.Fail(code);
}

}  // namespace fed::server
