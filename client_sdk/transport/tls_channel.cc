// All channel arguments in one place; why each is so is in PLATFORM's measurements.
#include "client_sdk/transport/tls_channel.h"

#include "common/base/limits.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace fed::client {
namespace {

constexpr int kKeepaliveMs = 30'000;  // well above what servers take for a flood of pings
constexpr int kKeepaliveTimeoutMs = 20'000;
constexpr int kFirstReconnectMs = 200;  // our own back-off decides; gRPC's must not be slower
constexpr int kLongestReconnectMs = 5'000;
constexpr int kConnectTimeoutMs = 10'000;

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);  // a held poll sends none for long
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kLongestReconnectMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectTimeoutMs);
  arguments.SetMaxReceiveMessageSize(static_cast<int>(kMaxMessageBytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(kMaxMessageBytes));
  // Compressed messages are refused: a small one can inflate to hundreds of megabytes.
  arguments.SetCompressionAlgorithm(GRPC_COMPRESS_NONE);
  arguments.SetInt(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET, 1 << GRPC_COMPRESS_NONE);
  return arguments;
}

}  // namespace

std::shared_ptr<grpc::Channel> NewTlsChannel(const std::string& server,
                                             const Credentials& credentials) {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = credentials.root;
  tls.pem_private_key = credentials.private_key;
  tls.pem_cert_chain = credentials.certificate_chain;
  return grpc::CreateCustomChannel(server, grpc::SslCredentials(tls), Arguments());
}

}  // namespace fed::client
