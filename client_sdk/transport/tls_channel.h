// Channels to the server: TLS with our own settings, one a device.
#ifndef FED_CLIENT_SDK_TRANSPORT_TLS_CHANNEL_H_
#define FED_CLIENT_SDK_TRANSPORT_TLS_CHANNEL_H_

#include <memory>
#include <string>

#include "client_sdk/transport/transport.h"
#include "grpcpp/channel.h"

namespace fed::client {

// The server must present a certificate for the host in `server` that leads to credentials.root.
// Without a certificate of ours (enrollment) only the server's side is checked. Never shares a
// connection with another channel, so identities do not mix. Connects when first used, and again by
// itself.
std::shared_ptr<grpc::Channel> NewTlsChannel(const std::string& server,
                                             const Credentials& credentials);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_TRANSPORT_TLS_CHANNEL_H_
