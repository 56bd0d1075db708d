// The schema, as the list of steps that lead to it.
#ifndef FED_SERVER_STORE_MIGRATIONS_H_
#define FED_SERVER_STORE_MIGRATIONS_H_

#include "absl/types/span.h"
#include "fed/status.h"
#include "server/store/database.h"

namespace fed::server {

// Element i takes a database from version i to i + 1. What was released is never changed: append.
absl::Span<const char* const> SchemaMigrations();

// Brings `db` to the last version, a transaction a step; its version is SQLite's user_version.
// kFailedPrecondition: it is newer than we are. After any error it is as the last good step left
// it.
Status Migrate(Database& db, absl::Span<const char* const> migrations);

}  // namespace fed::server

#endif  // FED_SERVER_STORE_MIGRATIONS_H_
