// fed.v1.Transfer: bytes and their caller; translates, decides nothing. No gRPC callback here reads
// a file, hashes or asks the store.
#ifndef FED_SERVER_RPC_TRANSFER_SERVICE_H_
#define FED_SERVER_RPC_TRANSFER_SERVICE_H_

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/executor.h"
#include "fed/v1/transfer.grpc.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/coordinate/version_catalog.h"
#include "server/ingest/intake.h"
#include "server/rpc/caller.h"
#include "server/rpc/live_calls.h"

namespace fed::server {

struct TransferOptions {
  std::int64_t piece_bytes = 1 << 20;  // of a download
  std::int64_t queue_bytes = 2 << 20;  // of an upload: read from the stream, not yet taken in
  absl::Duration idle_timeout = absl::Seconds(60);
};

// What the streams of this service use. It all outlives them.
struct TransferParts {
  const Doorkeeper& door;
  LiveCalls& live;
  Coordinator& coordinator;
  VersionCatalog& catalog;
  Intake& intake;
  Executor& executor;  // reads files, asks the store, keeps time
  const Clock& clock;
  TransferOptions options;
};

// Thread-safe.
class TransferService final : public v1::Transfer::CallbackService {
 public:
  explicit TransferService(TransferParts parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetManifest(grpc::CallbackServerContext* context,
                                        const v1::GetManifestRequest* request,
                                        v1::GetManifestReply* reply) override;
  grpc::ServerWriteReactor<v1::DownloadPiece>* Download(
      grpc::CallbackServerContext* context, const v1::DownloadRequest* request) override;
  grpc::ServerBidiReactor<v1::UploadRequest, v1::UploadReply>* Upload(
      grpc::CallbackServerContext* context) override;

 private:
  TransferParts parts_;
};

}  // namespace fed::server

#endif  // FED_SERVER_RPC_TRANSFER_SERVICE_H_
