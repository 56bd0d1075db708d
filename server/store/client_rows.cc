// Clients and their labels in SQLite.
#include "server/store/client_rows.h"

#include <string>

#include "server/store/query.h"
#include "server/store/store_rules.h"

namespace fed::server {
namespace {

ClientRecord Row(const Query& query) {
  ClientRecord client;
  query.Get(client.id, client.role, client.name, client.sdk_version, client.platform,
            client.examples, client.enrolled_at, client.first_seen, client.last_seen, client.rounds,
            client.failures, client.revoked);
  return client;
}

// The first text after all that begin with `prefix`; empty: there is none.
std::string PastPrefix(absl::string_view prefix) {
  std::string past(prefix);
  while (!past.empty() && static_cast<unsigned char>(past.back()) == 0xff) past.pop_back();
  if (!past.empty()) past.back() = static_cast<char>(static_cast<unsigned char>(past.back()) + 1);
  return past;
}

}  // namespace

StatusOr<ClientRecord> ClientRows::Find(const ClientId& id) const {
  Query query(db_, R"sql(
    SELECT client, role, name, sdk_version, platform, examples, enrolled_at, first_seen, last_seen,
           rounds, failures, revoked
    FROM clients WHERE client = ?1)sql");
  FED_ASSIGN_OR_RETURN(ClientRecord client, OneRow(query.Bind(id), Row, NoClient(id)));
  FED_ASSIGN_OR_RETURN(client.labels, LabelsOf(id));
  return client;
}

StatusOr<std::vector<ClientRecord>> ClientRows::First(std::int64_t limit) const {
  Query query(db_, R"sql(
    SELECT client, role, name, sdk_version, platform, examples, enrolled_at, first_seen, last_seen,
           rounds, failures, revoked
    FROM clients ORDER BY client LIMIT max(?1, 0))sql");
  FED_ASSIGN_OR_RETURN(std::vector<ClientRecord> clients, AllRows(query.Bind(limit), Row));
  FED_RETURN_IF_ERROR(AddLabels(clients));
  return clients;
}

StatusOr<std::vector<ClientRecord>> ClientRows::ByPrefix(absl::string_view prefix) const {
  Query query(db_, R"sql(
    SELECT client, role, name, sdk_version, platform, examples, enrolled_at, first_seen, last_seen,
           rounds, failures, revoked
    FROM clients WHERE client >= ?1 AND (client < ?2 OR ?2 = '') ORDER BY client)sql");
  query.Bind(prefix, PastPrefix(prefix));
  FED_ASSIGN_OR_RETURN(std::vector<ClientRecord> clients, AllRows(query, Row));
  FED_RETURN_IF_ERROR(AddLabels(clients));
  return clients;
}

Status ClientRows::Put(const ClientRecord& client) {
  Query query(db_, R"sql(
    INSERT INTO clients
      (client, role, name, sdk_version, platform, examples, enrolled_at, first_seen, last_seen,
       rounds, failures, revoked)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)
    ON CONFLICT (client) DO UPDATE SET
      role = ?2, name = ?3, sdk_version = ?4, platform = ?5, examples = ?6, enrolled_at = ?7,
      first_seen = ?8, last_seen = ?9, rounds = ?10, failures = ?11, revoked = ?12)sql");
  query.Bind(client.id, client.role, client.name, client.sdk_version, client.platform,
             client.examples, client.enrolled_at, client.first_seen, client.last_seen,
             client.rounds, client.failures, client.revoked);
  FED_RETURN_IF_ERROR(query.Run());
  return PutLabels(client);
}

StatusOr<Labels> ClientRows::LabelsOf(const ClientId& id) const {
  Query query(db_, "SELECT name, value FROM client_labels WHERE client = ?1");
  return NamedValues<Labels>(query.Bind(id));
}

Status ClientRows::AddLabels(std::vector<ClientRecord>& clients) const {
  for (ClientRecord& client : clients) {
    FED_ASSIGN_OR_RETURN(client.labels, LabelsOf(client.id));
  }
  return Status();
}

// Most writes of a client only say that it was seen.
Status ClientRows::PutLabels(const ClientRecord& client) {
  FED_ASSIGN_OR_RETURN(const Labels before, LabelsOf(client.id));
  if (before == client.labels) return Status();
  {
    Query query(db_, "DELETE FROM client_labels WHERE client = ?1");
    FED_RETURN_IF_ERROR(query.Bind(client.id).Run());
  }
  for (const auto& [name, value] : client.labels) {
    Query query(db_, "INSERT INTO client_labels (client, name, value) VALUES (?1, ?2, ?3)");
    FED_RETURN_IF_ERROR(query.Bind(client.id, name, value).Run());
  }
  return Status();
}

}  // namespace fed::server
