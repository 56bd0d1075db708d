// Model versions and the names of their files in SQLite.
#ifndef FED_SERVER_STORE_MODEL_ROWS_H_
#define FED_SERVER_STORE_MODEL_ROWS_H_

#include <vector>

#include "absl/strings/string_view.h"
#include "fed/status.h"
#include "server/store/database.h"
#include "server/store/records.h"

namespace fed::server {

class ModelRows {
 public:
  explicit ModelRows(Database& db) : db_(db) {}
  StatusOr<ModelRecord> Find(const JobId& job, ModelVersion version) const;
  StatusOr<ModelRecord> Latest(const JobId& job) const;
  StatusOr<std::vector<ModelRecord>> Of(const JobId& job) const;
  StatusOr<bool> IsBlobNamed(absl::string_view digest) const;
  // A version that is there keeps all but `kept`.
  Status Put(const ModelRecord& model);

 private:
  Status AddFiles(ModelRecord& model) const;

  Database& db_;
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_MODEL_ROWS_H_
