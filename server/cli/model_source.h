// A version of a job's model, fetched from the server into a file.
#ifndef FED_SERVER_CLI_MODEL_SOURCE_H_
#define FED_SERVER_CLI_MODEL_SOURCE_H_

#include <cstdint>
#include <string>

#include "fed/status.h"
#include "fed/v1/admin.pb.h"
#include "server/cli/admin_client.h"

namespace fed::server {

struct ModelChoice {
  std::string job;
  std::int64_t version = -1;  // the newest
  std::string group = "model";
};

// Replaces `path` once the whole file is there and its digest is right. Says version, bytes and
// digest (hex).
StatusOr<v1::Model> ExportModel(AdminClient& admin, const ModelChoice& choice,
                                const std::string& path);

}  // namespace fed::server

#endif  // FED_SERVER_CLI_MODEL_SOURCE_H_
