// One SQLite transaction that serves many writes.
#include "server/store/shared_commit.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "server/store/sqlite_tables.h"

namespace fed::server {
namespace {

using Writes = std::vector<PendingWrite*>;

// Leaves no transaction, without a word about one that SQLite has ended already.
void RollBack(Database& db) {
  if (db.in_transaction()) (void)db.Execute("ROLLBACK");
  (void)db.TakeFailure();
}

// The body's status, or that of a statement of it which failed and which it passed over. Unless
// that is OK its edits are undone; if they can not be, the transaction is ended.
Status RunBody(Database& db, PendingWrite& write) {
  FED_RETURN_IF_ERROR(db.Execute("SAVEPOINT body"));
  SqliteTables tables(db);
  Status status = write.body(tables);
  const Status failure = db.TakeFailure();
  if (status.ok()) status = failure;
  if (!db.in_transaction()) return status;

  Status closed;
  if (!status.ok()) closed = db.Execute("ROLLBACK TO body");
  if (closed.ok()) closed = db.Execute("RELEASE body");
  if (closed.ok()) return status;
  RollBack(db);
  return status.ok() ? closed : status;
}

// False: SQLite rolled back under the last one that ran, which is taken out of `left`.
bool RunBodies(Database& db, Writes& left) {
  for (auto at = left.begin(); at != left.end(); ++at) {
    PendingWrite& write = **at;
    write.status = RunBody(db, write);
    if (db.in_transaction()) continue;
    if (write.status.ok()) {
      write.status = Status(StatusCode::kUnavailable, "the transaction was rolled back");
    }
    (void)db.TakeFailure();
    left.erase(at);
    return false;
  }
  return true;
}

void SetAll(const Writes& writes, const Status& status) {
  for (PendingWrite* write : writes) write->status = status;
}

// Of those that are OK.
int Commit(Database& db, const Writes& writes) {
  Writes good;
  std::copy_if(writes.begin(), writes.end(), std::back_inserter(good),
               [](const PendingWrite* write) { return write->status.ok(); });
  if (good.empty()) {
    RollBack(db);
    return 0;
  }
  const Status committed = db.Execute("COMMIT");
  if (committed.ok()) return static_cast<int>(good.size());
  SetAll(good, Status(StatusCode::kUnknown,
                      absl::StrCat("the commit failed and may have happened all the same: ",
                                   committed.message())));
  RollBack(db);
  return 0;
}

}  // namespace

int CommitTogether(Database& db, absl::Span<PendingWrite* const> writes) {
  (void)db.TakeFailure();  // none is left of an earlier transaction
  Writes left(writes.begin(), writes.end());
  while (!left.empty()) {  // one fewer each time
    const Status begun = db.Execute("BEGIN IMMEDIATE");
    if (!begun.ok()) {
      SetAll(left, begun);
      (void)db.TakeFailure();
      return 0;
    }
    if (RunBodies(db, left)) return Commit(db, left);
  }
  return 0;
}

}  // namespace fed::server
