// Clients and their labels in SQLite.
#ifndef FED_SERVER_STORE_CLIENT_ROWS_H_
#define FED_SERVER_STORE_CLIENT_ROWS_H_

#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class ClientRows {
 public:
  explicit ClientRows(Database& db) : db_(db) {}
  StatusOr<ClientRecord> Find(const ClientId& id) const;
  StatusOr<std::vector<ClientRecord>> First(std::int64_t limit) const;
  StatusOr<std::vector<ClientRecord>> ByPrefix(absl::string_view prefix) const;
  Status Put(const ClientRecord& client);

 private:
  StatusOr<Labels> LabelsOf(const ClientId& id) const;
  Status AddLabels(std::vector<ClientRecord>& clients) const;
  Status PutLabels(const ClientRecord& client);

  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_CLIENT_ROWS_H_
