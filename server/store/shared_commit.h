// One SQLite transaction that serves many writes.
#ifndef FED_SERVER_STORE_SHARED_COMMIT_H_
#define FED_SERVER_STORE_SHARED_COMMIT_H_

#include "absl/types/span.h"
#include "server/store/database.h"
#include "server/store/write_queue.h"

namespace fed::server {

// Runs each body in a savepoint of its own and commits those that are OK together; sets every
// status. If SQLite rolls the transaction back under a body, that body has failed and the others
// run again. A COMMIT that fails leaves kUnknown in all that were OK. Returns how many the commit
// made durable: 0, there was none.
int CommitTogether(Database& db, absl::Span<PendingWrite* const> writes);

}  // namespace fed::server

#endif  // FED_SERVER_STORE_SHARED_COMMIT_H_
