// Plain sockets and OpenSSL, one connection after the other.
#include "tests/unit/server/security/tls_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "tests/testing/test_pki.h"

namespace fed::server {

TlsServer::TlsServer(const Options& options) : context_(SSL_CTX_new(TLS_server_method())) {
  std::signal(SIGPIPE, SIG_IGN);  // as the server's main() does
  const testing::TestPki& pki = testing::TestPki::Shared();
  SSL_CTX* context = context_.get();
  FED_CHECK(SSL_CTX_set_min_proto_version(context, options.oldest) == 1);
  FED_CHECK(SSL_CTX_set_max_proto_version(context, options.newest) == 1);
  FED_CHECK(SSL_CTX_use_certificate_chain_file(context,
                                               JoinPath(pki.folder(), kServerFile).c_str()) == 1);
  FED_CHECK(SSL_CTX_use_PrivateKey_file(context, JoinPath(pki.folder(), kServerKeyFile).c_str(),
                                        SSL_FILETYPE_PEM) == 1);
  if (options.wants_certificate) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);  // what POSIX asks for
  FED_CHECK(bind(listener_, generic, size) == 0 && listen(listener_, 16) == 0);
  FED_CHECK(getsockname(listener_, generic, &size) == 0);
  address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
  if (options.answers) thread_ = std::thread([this] { Serve(); });
}

TlsServer::~TlsServer() {
  shutdown(listener_, SHUT_RDWR);  // ends accept()
  if (thread_.joinable()) thread_.join();
  close(listener_);
}

void TlsServer::Serve() {
  for (int fd = 0; (fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
    const OpensslPointer<SSL, &SSL_free> ssl(SSL_new(context_.get()));
    SSL_set_fd(ssl.get(), fd);
    SSL_accept(ssl.get());
    close(fd);
  }
}

}  // namespace fed::server
