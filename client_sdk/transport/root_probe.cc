// Plain OpenSSL: gRPC shows its caller no certificate before it has a root to trust.
#include "client_sdk/transport/root_probe.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/crypto/certificate.h"
#include "common/crypto/digest.h"

namespace fed::client {
namespace {

struct Address {
  std::string host, port;
};

StatusOr<Address> Split(absl::string_view server) {
  const std::size_t colon = server.rfind(':');
  if (colon == absl::string_view::npos || colon == 0 || colon + 1 == server.size()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("enrollment server '", server, "': expected host:port"));
  }
  absl::string_view host = server.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return Address{std::string(host), std::string(server.substr(colon + 1))};
}

Status Unreachable(const Address& address, absl::string_view why) {
  return Status(StatusCode::kUnavailable,
                absl::StrCat("enrollment server ", address.host, ":", address.port, ": ", why));
}

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

// The socket's own timeouts bound connect, read and write alike.
void SetTimeout(int descriptor, absl::Duration timeout) {
  const timeval time = absl::ToTimeval(timeout);
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
}

StatusOr<Socket> ConnectTo(const Address& address, absl::Duration timeout) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found);
  if (error != 0) return Unreachable(address, ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> all(found, ::freeaddrinfo);
  std::string why = "no address";
  for (const addrinfo* it = found; it != nullptr; it = it->ai_next) {
    Socket socket(::socket(it->ai_family, it->ai_socktype | SOCK_CLOEXEC, it->ai_protocol));
    if (socket.get() < 0) continue;
    SetTimeout(socket.get(), timeout);
    if (::connect(socket.get(), it->ai_addr, it->ai_addrlen) == 0) return socket;
    why = std::generic_category().message(errno);
  }
  return Unreachable(address, why);
}

template <typename T>
using Owned = std::unique_ptr<T, void (*)(T*)>;

Owned<SSL_CTX> NewContext() {
  Owned<SSL_CTX> context(::SSL_CTX_new(::TLS_client_method()), ::SSL_CTX_free);
  if (context == nullptr) return context;
  SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION);
  // Whom we talk to is exactly what is to be found out.
  ::SSL_CTX_set_verify(context.get(), SSL_VERIFY_NONE, nullptr);
  constexpr std::array<unsigned char, 3> kHttp2 = {2, 'h', '2'};
  ::SSL_CTX_set_alpn_protos(context.get(), kHttp2.data(), kHttp2.size());
  return context;
}

Certificate Shared(X509* presented) {
  ::X509_up_ref(presented);
  return Certificate(CertificatePointer(presented));
}

}  // namespace

StatusOr<std::string> FetchRoot(const std::string& server, const std::string& fingerprint,
                                absl::Duration timeout) {
  FED_ASSIGN_OR_RETURN(const Address address, Split(server));
  FED_ASSIGN_OR_RETURN(const Socket socket, ConnectTo(address, timeout));
  const Owned<SSL_CTX> context = NewContext();
  const Owned<SSL> tls(context == nullptr ? nullptr : ::SSL_new(context.get()), ::SSL_free);
  if (tls == nullptr) return Status(StatusCode::kInternal, "OpenSSL made no TLS connection");
  SSL_set_tlsext_host_name(tls.get(), address.host.c_str());
  ::SSL_set_fd(tls.get(), socket.get());
  if (::SSL_connect(tls.get()) != 1) return Unreachable(address, "no TLS 1.3 handshake");

  STACK_OF(X509)* chain = ::SSL_get_peer_cert_chain(tls.get());
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const Certificate certificate = Shared(sk_X509_value(chain, i));
    if (certificate.fingerprint().ToHex() == fingerprint) return certificate.ToPem();
  }
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat("enrollment server ", server,
                             " presents no certificate with the token's fingerprint ",
                             fingerprint.substr(0, 16), "...: it is not the server of the token"));
}

}  // namespace fed::client
