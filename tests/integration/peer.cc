// Channels, blocking calls, and streams by hand.
#include "tests/integration/peer.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/byte_buffer.h"
#include "proto/wire/rpc_status.h"

namespace fed::testing {
namespace {

constexpr std::int64_t kHoldMs = 60'000;

// No two peers share a connection, which would be the identity of one of them.
std::shared_ptr<grpc::Channel> Connect(const std::string& address,
                                       const grpc::SslCredentialsOptions& tls) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(address, grpc::SslCredentials(tls), arguments);
}

std::string TextOf(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string text;
  if (!buffer.Dump(&slices).ok()) return text;
  for (const grpc::Slice& slice : slices) {
    text.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return text;
}

}  // namespace

Peer::Peer(const std::string& address, const TestIdentity& identity)
    : Peer(Connect(address,
                   {TestPki::Shared().root_pem(), identity.key_pem, identity.certificate_pem})) {}

Peer::Peer(const std::string& address)
    : Peer(Connect(address, {TestPki::Shared().root_pem(), "", ""})) {}

Peer::Peer(std::shared_ptr<grpc::Channel> channel) : channel_(std::move(channel)) {}

StatusOr<std::string> Peer::CallByName(const std::string& method,
                                       const std::string& message) const {
  grpc::ClientContext context;
  SetDeadline(context);
  const grpc::Slice slice(message);
  const grpc::ByteBuffer request(&slice, 1);
  grpc::ByteBuffer reply;
  std::promise<grpc::Status> ended;
  grpc::GenericStub stub(channel_);
  stub.UnaryCall(&context, method, grpc::StubOptions(), &request, &reply,
                 [&](grpc::Status status) { ended.set_value(std::move(status)); });
  const Status status = Told(ended.get_future().get());
  if (!status.ok()) return status;
  return TextOf(reply);
}

void Peer::SetDeadline(grpc::ClientContext& context) {
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
}

Status Peer::Told(const grpc::Status& status) { return wire::FromGrpc(status); }

StatusOr<v1::EnrollDeviceReply> Enroll(const RunningServer& server, const std::string& token,
                                       const PrivateKey& key) {
  v1::EnrollDeviceRequest request;
  request.set_token(token.substr(0, token.find('.')));
  request.set_csr(Csr::Make(key).der());
  request.set_name("enrolled by hand");
  return Peer(server.addresses().enrollment).Call(&v1::Enroll::Stub::EnrollDevice, request);
}

TestIdentity IdentityOf(const v1::EnrollDeviceReply& reply, const PrivateKey& key) {
  TestIdentity identity;
  identity.caller = {ClientId{reply.id()}, Must(RoleFromName(reply.role()))};
  identity.certificate_der = reply.certificate();
  identity.certificate_pem = Must(Certificate::FromDer(reply.certificate())).ToPem();
  for (const std::string& link : reply.chain()) {
    identity.certificate_pem += Must(Certificate::FromDer(link)).ToPem();
  }
  identity.key_pem = key.ToPem();
  return identity;
}

TestIdentity Enrolled(const RunningServer& server, const std::string& token) {
  const PrivateKey key = PrivateKey::Generate();
  return IdentityOf(Must(Enroll(server, token, key)), key);
}

Poll::Poll(const std::shared_ptr<grpc::Channel>& channel, const v1::CheckInRequest& request)
    : stub_(channel), request_(request), status_(promise_.get_future()) {
  context_.set_deadline(absl::ToChronoTime(absl::Now() + 2 * kPatience));
  stub_.async()->CheckIn(&context_, &request_, &reply_,
                         [this](grpc::Status status) { promise_.set_value(std::move(status)); });
}

Poll::~Poll() {
  context_.TryCancel();
  status_.wait();
}

StatusOr<v1::CheckInReply> Poll::Await() {
  const Status status = Peer::Told(status_.get());
  if (!status.ok()) return status;
  return reply_;
}

v1::CheckInRequest CheckInFor(const std::string& job) {
  v1::CheckInRequest request;
  request.mutable_abilities()->set_sdk_version("0.1.0");
  request.mutable_abilities()->set_platform("test");
  request.mutable_abilities()->add_codecs("fp32");
  request.add_jobs(job);
  request.set_hold_ms(kHoldMs);
  return request;
}

std::vector<v1::Assignment> AwaitAssignments(const std::vector<const Peer*>& devices,
                                             const std::string& job) {
  std::vector<std::unique_ptr<Poll>> polls;
  for (const Peer* device : devices) {
    polls.push_back(std::make_unique<Poll>(device->channel(), CheckInFor(job)));
  }
  std::vector<v1::Assignment> assignments;
  for (const auto& poll : polls) assignments.push_back(Must(poll->Await()).assignment());
  return assignments;
}

UploadLine::UploadLine(const Peer& peer) : stub_(peer.channel()) {
  Peer::SetDeadline(context_);
  stream_ = stub_.Upload(&context_);
}

void UploadLine::Begin(const v1::UploadBegin& begin) {
  v1::UploadRequest request;
  *request.mutable_begin() = begin;
  stream_->Write(request);
}

bool UploadLine::Send(std::int64_t offset, std::string data) {
  v1::UploadRequest request;
  request.mutable_piece()->set_offset(offset);
  request.mutable_piece()->set_data(std::move(data));
  return stream_->Write(request);
}

void UploadLine::SayAll() { stream_->WritesDone(); }

std::optional<v1::UploadReply> UploadLine::Read() {
  v1::UploadReply reply;
  if (!stream_->Read(&reply)) return std::nullopt;
  return reply;
}

Status UploadLine::Finish() {
  while (Read()) {
  }
  return Peer::Told(stream_->Finish());
}

v1::UploadBegin BeginOf(const EncodedUpdate& update, const v1::AssignmentRef& ref) {
  v1::UploadBegin begin;
  *begin.mutable_ref() = ref;
  begin.set_digest(update.digest.bytes.data(), update.digest.bytes.size());
  begin.set_header_bytes(update.header_bytes);
  begin.set_table_bytes(update.table_bytes);
  begin.set_total_bytes(update.total_bytes());
  return begin;
}

Uploaded Upload(const Peer& peer, const v1::UploadBegin& begin, const std::string& bytes,
                std::int64_t until) {
  const std::int64_t end = until < 0 ? static_cast<std::int64_t>(bytes.size()) : until;
  Uploaded uploaded;
  UploadLine line(peer);
  line.Begin(begin);
  while (const std::optional<v1::UploadReply> reply = line.Read()) {
    if (!reply->has_proceed()) {
      uploaded.last = *reply;
      continue;
    }
    uploaded.from = reply->proceed().offset();
    const std::int64_t piece = reply->proceed().piece_bytes();
    for (std::int64_t at = uploaded.from; at < end; at += piece) {
      const std::int64_t size = std::min(piece, end - at);
      if (!line.Send(at,
                     bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(size)))) {
        break;
      }
    }
    line.SayAll();
  }
  uploaded.status = line.Finish();
  return uploaded;
}

Uploaded Upload(const Peer& peer, const EncodedUpdate& update, const v1::AssignmentRef& ref) {
  return Upload(peer, BeginOf(update, ref), update.bytes);
}

}  // namespace fed::testing
