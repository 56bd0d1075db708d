// Brings the files of one version onto this device.
#ifndef FED_CLIENT_SDK_SESSION_VERSION_FETCH_H_
#define FED_CLIENT_SDK_SESSION_VERSION_FETCH_H_

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client_sdk/session/model_cache.h"
#include "client_sdk/session/session_context.h"
#include "client_sdk/session/training_signs.h"
#include "client_sdk/transport/transport.h"
#include "fed/status.h"

namespace fed::client {

// Where each group's file lies.
using VersionFiles = std::map<std::string, std::string>;

// On `events` only: Start once. manifest -> (file by file: chunks here already, a stream of the
// others) -> done. A broken stream goes on where it broke. `done` is called once, unless Stop was:
// what the call that can't be repeated said, kFailedPrecondition if the owner's limits forbid the
// version, kDataLoss if the server sends other bytes than it promised again and again.
class VersionFetch final : public std::enable_shared_from_this<VersionFetch> {
 public:
  using Done = std::function<void(StatusOr<VersionFiles>)>;

  VersionFetch(SessionContext& context, Transport& transport, ModelCache& cache,
               const wire::Assignment& assignment, std::shared_ptr<TrainingSigns> signs, Done done);

  void Start() { GetManifest(); }
  void Stop();

 private:
  struct Prepared {
    std::optional<std::string> path;  // it is here in full
    std::shared_ptr<ChunkAssembly> assembly;
  };

  void GetManifest();
  void OnManifest(StatusOr<Manifest> manifest);
  Status CheckManifest() const;
  void PrepareNext();
  void OnPrepared(StatusOr<Prepared> prepared);
  void Download();
  void OnDownloaded(const Status& status);
  void OnFile(StatusOr<std::string> path);
  void Repeat(const Status& status, void (VersionFetch::*step)());
  void Finish(StatusOr<VersionFiles> result);

  SessionContext& context_;
  Transport& transport_;
  ModelCache& cache_;
  const wire::Assignment& assignment_;
  const std::shared_ptr<TrainingSigns> signs_;
  Done done_;
  Backoff backoff_;
  int damaged_ = 0;  // streams that brought other bytes than promised
  Manifest manifest_;
  std::vector<const ManifestFile*> wanted_;  // of manifest_
  std::size_t next_ = 0;                     // of wanted_
  std::shared_ptr<ChunkAssembly> assembly_;  // shared with the stream that fills it
  VersionFiles files_;
  std::unique_ptr<Call> call_;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_VERSION_FETCH_H_
