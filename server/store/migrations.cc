// The schema, as the list of steps that lead to it.
#include "server/store/migrations.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "server/store/query.h"

namespace fed::server {
namespace {

// Times and durations are microseconds, enums the numbers of records.h. Doubles are ANY and
// checked, for a column of type REAL turns -0.0 into 0.0.
constexpr const char* kVersion1 = R"sql(
CREATE TABLE jobs (
  job TEXT NOT NULL PRIMARY KEY,
  spec TEXT NOT NULL,
  spec_source TEXT NOT NULL,
  plan TEXT NOT NULL,
  plan_source TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
  reason TEXT NOT NULL,
  failed_in_a_row INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE clients (
  client TEXT NOT NULL PRIMARY KEY,
  role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 4),
  name TEXT NOT NULL,
  sdk_version TEXT NOT NULL,
  platform TEXT NOT NULL,
  examples INTEGER NOT NULL,
  enrolled_at INTEGER NOT NULL,
  first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL,
  rounds INTEGER NOT NULL,
  failures INTEGER NOT NULL,
  revoked INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE TABLE client_labels (
  client TEXT NOT NULL REFERENCES clients,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (client, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE enroll_tokens (
  hash TEXT NOT NULL PRIMARY KEY,
  role INTEGER NOT NULL CHECK (role BETWEEN 0 AND 4),
  uses_left INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ids_from_names INTEGER NOT NULL CHECK (ids_from_names IN (0, 1))
) STRICT, WITHOUT ROWID;
CREATE TABLE enroll_token_labels (
  hash TEXT NOT NULL REFERENCES enroll_tokens,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (hash, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
  serial TEXT NOT NULL PRIMARY KEY,
  client TEXT NOT NULL REFERENCES clients,
  key_digest TEXT NOT NULL,
  token_hash TEXT NOT NULL,
  der BLOB NOT NULL,
  not_after INTEGER NOT NULL
) STRICT;
CREATE INDEX certificates_by_client ON certificates (client, serial);
CREATE INDEX certificates_by_token ON certificates (token_hash, key_digest);

CREATE TABLE rounds (
  job TEXT NOT NULL REFERENCES jobs,
  round INTEGER NOT NULL,
  base INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
  reason TEXT NOT NULL,
  target_updates INTEGER NOT NULL,
  opened_at INTEGER NOT NULL,
  closed_at INTEGER NOT NULL,
  remaining INTEGER NOT NULL,
  PRIMARY KEY (job, round)
) STRICT, WITHOUT ROWID;
CREATE INDEX rounds_by_state ON rounds (job, state, round);
CREATE TABLE round_metrics (
  job TEXT NOT NULL,
  round INTEGER NOT NULL,
  name TEXT NOT NULL,
  value ANY NOT NULL CHECK (typeof(value) = 'real'),
  PRIMARY KEY (job, round, name),
  FOREIGN KEY (job, round) REFERENCES rounds
) STRICT, WITHOUT ROWID;

-- A client of an assignment need not stand in clients: its certificate may come from elsewhere.
CREATE TABLE assignments (
  job TEXT NOT NULL,
  assignment INTEGER NOT NULL,
  round INTEGER NOT NULL,
  client TEXT NOT NULL,
  base INTEGER NOT NULL,
  codec TEXT NOT NULL,
  remaining INTEGER NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
  reason TEXT NOT NULL,
  PRIMARY KEY (job, assignment),
  FOREIGN KEY (job, round) REFERENCES rounds
) STRICT, WITHOUT ROWID;
CREATE INDEX assignments_by_round ON assignments (job, round, assignment);

CREATE TABLE receipts (
  job TEXT NOT NULL,
  assignment INTEGER NOT NULL,
  client TEXT NOT NULL,
  base INTEGER NOT NULL,
  joins INTEGER NOT NULL,
  digest TEXT NOT NULL,
  spool_file TEXT NOT NULL,
  spool_offset INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  codec TEXT NOT NULL,
  weight ANY NOT NULL CHECK (typeof(weight) = 'real'),
  norm ANY NOT NULL CHECK (typeof(norm) = 'real'),
  accepted_at INTEGER NOT NULL,
  ended INTEGER NOT NULL CHECK (ended BETWEEN 0 AND 2),
  counted_in INTEGER NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (job, assignment),
  FOREIGN KEY (job, assignment) REFERENCES assignments,
  FOREIGN KEY (job, joins) REFERENCES rounds
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_round ON receipts (job, joins, assignment);
CREATE INDEX receipts_open ON receipts (job, client) WHERE ended = 0;
CREATE TABLE receipt_scalars (
  job TEXT NOT NULL,
  assignment INTEGER NOT NULL,
  name TEXT NOT NULL,
  value ANY NOT NULL CHECK (typeof(value) = 'real'),
  PRIMARY KEY (job, assignment, name),
  FOREIGN KEY (job, assignment) REFERENCES receipts
) STRICT, WITHOUT ROWID;

CREATE TABLE models (
  job TEXT NOT NULL REFERENCES jobs,
  version INTEGER NOT NULL,
  made_by INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  kept INTEGER NOT NULL CHECK (kept IN (0, 1)),
  PRIMARY KEY (job, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE model_files (
  job TEXT NOT NULL,
  version INTEGER NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  PRIMARY KEY (job, version, name),
  FOREIGN KEY (job, version) REFERENCES models
) STRICT, WITHOUT ROWID;
CREATE INDEX model_files_by_digest ON model_files (digest);

CREATE TABLE evaluations (
  job TEXT NOT NULL,
  assignment INTEGER NOT NULL,
  version INTEGER NOT NULL,
  client TEXT NOT NULL,
  state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2),
  PRIMARY KEY (job, assignment),
  FOREIGN KEY (job, version) REFERENCES models
) STRICT, WITHOUT ROWID;
CREATE INDEX evaluations_by_version ON evaluations (job, version, assignment);
CREATE TABLE evaluation_scalars (
  job TEXT NOT NULL,
  assignment INTEGER NOT NULL,
  name TEXT NOT NULL,
  value ANY NOT NULL CHECK (typeof(value) = 'real'),
  PRIMARY KEY (job, assignment, name),
  FOREIGN KEY (job, assignment) REFERENCES evaluations
) STRICT, WITHOUT ROWID;
)sql";

constexpr const char* kMigrations[] = {kVersion1};

StatusOr<std::int64_t> VersionOf(Database& db) {
  Query query(db, "PRAGMA user_version");
  FED_RETURN_IF_ERROR(query.Next().status());
  std::int64_t version = 0;
  query.Get(version);
  return version;
}

Status Step(Database& db, const char* migration, std::int64_t to) {
  FED_RETURN_IF_ERROR(db.Execute("BEGIN IMMEDIATE"));
  FED_RETURN_IF_ERROR(db.Execute(migration));
  // A pragma takes no bound values.
  FED_RETURN_IF_ERROR(db.Execute(absl::StrCat("PRAGMA user_version = ", to).c_str()));
  return db.Execute("COMMIT");
}

}  // namespace

absl::Span<const char* const> SchemaMigrations() { return kMigrations; }

Status Migrate(Database& db, absl::Span<const char* const> migrations) {
  FED_ASSIGN_OR_RETURN(const std::int64_t version, VersionOf(db));
  const auto last = static_cast<std::int64_t>(migrations.size());
  if (version > last) {
    return Status(
        StatusCode::kFailedPrecondition,
        absl::StrCat(db.path(), " has schema version ", version, ", this program knows none above ",
                     last, ": run the newer program that wrote it"));
  }
  for (std::int64_t at = version; at < last; ++at) {
    const Status status = Step(db, migrations[static_cast<std::size_t>(at)], at + 1);
    if (status.ok()) continue;
    // Says nothing new if SQLite has rolled back by itself.
    if (db.in_transaction()) FED_RETURN_IF_ERROR(db.Execute("ROLLBACK"));
    return Status(status.code(), absl::StrCat("migration to schema version ", at + 1,
                                              " failed: ", status.message()));
  }
  return Status();
}

}  // namespace fed::server
