// Calls to the admin listener.
#include "server/cli/admin_client.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/limits.h"
#include "common/crypto/digest.h"
#include "common/crypto/own_certificate.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"
#include "proto/wire/rpc_status.h"
#include "server/security/certificate_authority.h"

namespace fed::server {
namespace {

constexpr std::int64_t kMaxPemBytes = 1 << 20;
constexpr absl::Duration kDeadline = absl::Seconds(30);

StatusOr<NamedPem> ReadPem(const std::string& folder, const char* name) {
  const std::string path = JoinPath(folder, name);
  StatusOr<std::string> text = ReadFile(FileSystem::Real(), path, kMaxPemBytes);
  if (!text.ok()) {
    return Status(text.status().code(),
                  absl::StrCat(text.status().message(),
                               "; give the folder that `fedctl ca init` made with --certs"));
  }
  return NamedPem{path, *std::move(text)};
}

std::shared_ptr<grpc::Channel> ChannelTo(const std::string& server, const OwnCertificate& own) {
  grpc::SslCredentialsOptions ssl;
  ssl.pem_root_certs = own.ca.pem;
  ssl.pem_private_key = own.key.pem;
  ssl.pem_cert_chain = own.certificate.pem;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1);  // none but identity
  arguments.SetMaxReceiveMessageSize(-1);  // lists of rounds and clients, from a server we trust
  return grpc::CreateCustomChannel(server, grpc::SslCredentials(ssl), arguments);
}

}  // namespace

StatusOr<std::unique_ptr<AdminClient>> AdminClient::Connect(const AdminAddress& address) {
  OwnCertificate own;
  FED_ASSIGN_OR_RETURN(own.certificate, ReadPem(address.certs, kOperatorFile));
  FED_ASSIGN_OR_RETURN(own.key, ReadPem(address.certs, kOperatorKeyFile));
  FED_ASSIGN_OR_RETURN(own.ca, ReadPem(address.certs, kRootFile));
  FED_ASSIGN_OR_RETURN(const std::string advice, CheckOwnCertificate(own, Clock::Real().WallNow()));
  const std::string hint =
      absl::StrCat("can't talk to ", address.server,
                   ": is fedserver running there, is it the admin listener (--server), and do the "
                   "certificates in ",
                   address.certs, " belong to it?", advice.empty() ? "" : " Note: ", advice);
  return std::unique_ptr<AdminClient>(
      new AdminClient(v1::Admin::NewStub(ChannelTo(address.server, own)), hint));
}

void AdminClient::SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kDeadline));
}

Status AdminClient::Told(const grpc::Status& status) const {
  if (status.error_code() != grpc::StatusCode::UNAVAILABLE) return wire::FromGrpc(status);
  return Status(StatusCode::kUnavailable, absl::StrCat(hint_, " (", status.error_message(), ")"));
}

StatusOr<v1::Job> AdminClient::CreateJob(const v1::CreateJobRequest::Begin& begin,
                                         const File* model) {
  grpc::ClientContext context;
  v1::Job job;
  const auto writer = stub_->CreateJob(&context, &job);
  v1::CreateJobRequest message;
  *message.mutable_begin() = begin;
  bool open = writer->Write(message);
  for (std::int64_t at = 0; open && at < begin.model_bytes();) {
    std::string piece(
        static_cast<std::size_t>(std::min(kDefaultPieceBytes, begin.model_bytes() - at)), '\0');
    FED_RETURN_IF_ERROR(model->ReadAt(
        at, absl::MakeSpan(reinterpret_cast<std::uint8_t*>(piece.data()), piece.size())));
    at += static_cast<std::int64_t>(piece.size());
    message.set_model_piece(std::move(piece));
    open = writer->Write(message);
  }
  writer->WritesDone();
  FED_RETURN_IF_ERROR(Told(writer->Finish()));
  return job;
}

Status AdminClient::DownloadModel(const v1::DownloadModelRequest& request,
                                  const std::function<Status(const v1::ModelPiece&)>& sink) {
  grpc::ClientContext context;
  const auto reader = stub_->DownloadModel(&context, request);
  v1::ModelPiece piece;
  std::string announced;  // digest
  std::string chunk;      // what has come of the one that is not whole yet
  std::vector<Digest> chunks;
  std::int64_t bytes = 0;
  const auto end_chunk = [&] {
    chunks.push_back(
        ChunkDigest({reinterpret_cast<const std::uint8_t*>(chunk.data()), chunk.size()}));
    chunk.clear();
  };
  while (reader->Read(&piece)) {
    if (announced.empty()) announced = piece.digest();
    FED_RETURN_IF_ERROR(sink(piece));
    bytes += static_cast<std::int64_t>(piece.data().size());
    for (absl::string_view left = piece.data(); !left.empty();) {
      const std::size_t take = std::min(left.size(), kChunkBytes - chunk.size());
      chunk.append(left.data(), take);
      left.remove_prefix(take);
      if (chunk.size() == static_cast<std::size_t>(kChunkBytes)) end_chunk();
    }
  }
  FED_RETURN_IF_ERROR(Told(reader->Finish()));
  if (!chunk.empty()) end_chunk();
  const Digest digest = FileDigest(bytes, chunks);
  if (announced != std::string(digest.bytes.begin(), digest.bytes.end())) {
    return Status(StatusCode::kDataLoss,
                  absl::StrCat("the ", bytes, " bytes that came do not match the model's digest"));
  }
  return Status();
}

Status AdminClient::WatchJob(const std::string& job,
                             const std::function<bool(const v1::JobEvent&)>& sink) {
  grpc::ClientContext context;
  v1::JobRequest request;
  request.set_job(job);
  const auto reader = stub_->WatchJob(&context, request);
  v1::JobEvent event;
  while (reader->Read(&event)) {
    if (sink(event)) continue;
    context.TryCancel();
    reader->Finish();
    return Status();
  }
  return Told(reader->Finish());
}

}  // namespace fed::server
