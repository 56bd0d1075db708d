// fed.v1.Transfer.
#include "server/rpc/transfer_service.h"

#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "proto/wire/convert.h"
#include "server/rpc/file_stream.h"
#include "server/rpc/unary_call.h"
#include "server/rpc/upload_call.h"

namespace fed::server {
namespace {

using DownloadFileStream = FileStream<v1::DownloadPiece>;

// The bytes of the chunks asked for. kOutOfRange beyond the file.
StatusOr<std::vector<FileParts::Range>> RangesOf(const std::vector<wire::ChunkRange>& chunks,
                                                 std::int64_t file_bytes) {
  const std::int64_t file_chunks = (file_bytes + kChunkBytes - 1) / kChunkBytes;
  std::vector<FileParts::Range> ranges;
  for (const wire::ChunkRange& range : chunks) {
    if (range.first + range.count > file_chunks) {
      return Status(StatusCode::kOutOfRange,
                    absl::StrCat("chunks ", range.first, " to ", range.first + range.count - 1,
                                 " asked for; the file has ", file_chunks));
    }
    ranges.push_back({range.first * kChunkBytes,
                      std::min(file_bytes, (range.first + range.count) * kChunkBytes)});
  }
  return ranges;
}

}  // namespace

grpc::ServerUnaryReactor* TransferService::GetManifest(grpc::CallbackServerContext* context,
                                                       const v1::GetManifestRequest* request,
                                                       v1::GetManifestReply* reply) {
  const StatusOr<Caller> caller = parts_.door.Admit(*context, "/fed.v1.Transfer/GetManifest");
  if (!caller.ok()) return Refuse(caller.status());
  StatusOr<JobId> job = wire::DecodeJobId(request->job());
  if (!job.ok()) return Refuse(job.status());

  UnaryCall* const call = UnaryCall::New();
  parts_.executor.Post([this, answer = call->answer(), job = *std::move(job),
                        version = ModelVersion{request->version()}, reply] {
    const StatusOr<std::shared_ptr<const Manifest>> manifest =
        parts_.catalog.ManifestOf(job, version);
    answer(manifest.status(), [&] { wire::Encode(**manifest, *reply); });
  });
  return call;
}

grpc::ServerWriteReactor<v1::DownloadPiece>* TransferService::Download(
    grpc::CallbackServerContext* context, const v1::DownloadRequest* request) {
  const StatusOr<Caller> caller = parts_.door.Admit(*context, "/fed.v1.Transfer/Download");
  if (!caller.ok()) return DownloadFileStream::Refuse(caller.status());
  StatusOr<wire::DownloadRequest> decoded = wire::Decode(*request);
  if (!decoded.ok()) return DownloadFileStream::Refuse(decoded.status());

  const JobId job = decoded->job;
  const FileStreamOptions options{parts_.executor,
                                  parts_.clock,
                                  parts_.live,
                                  caller->id,
                                  parts_.options.piece_bytes,
                                  parts_.options.idle_timeout};
  return DownloadFileStream::Start(
      context, options,
      [this, asked = *std::move(decoded)]() -> StatusOr<FileParts> {
        FileParts parts;
        FED_ASSIGN_OR_RETURN(parts.file,
                             parts_.catalog.OpenFile(asked.job, asked.version, asked.group));
        FED_ASSIGN_OR_RETURN(const std::int64_t size, parts.file->size());
        FED_ASSIGN_OR_RETURN(parts.ranges, RangesOf(asked.ranges, size));
        return parts;
      },
      [](std::int64_t offset, std::string bytes, v1::DownloadPiece& piece) {
        piece.set_offset(offset);
        piece.set_data(std::move(bytes));
      },
      [this, job](std::int64_t sent) { parts_.coordinator.CountDownload(job, sent); });
}

grpc::ServerBidiReactor<v1::UploadRequest, v1::UploadReply>* TransferService::Upload(
    grpc::CallbackServerContext* context) {
  const StatusOr<Caller> caller = parts_.door.Admit(*context, "/fed.v1.Transfer/Upload");
  if (!caller.ok()) return UploadCall::Refuse(caller.status());
  return UploadCall::Start(parts_, *caller);
}

}  // namespace fed::server
