// A TLS server on loopback that does nothing but shake hands, for the probe to look at.
#ifndef FED_TESTS_UNIT_SERVER_SECURITY_TLS_SERVER_H_
#define FED_TESTS_UNIT_SERVER_SECURITY_TLS_SERVER_H_

#include <openssl/ssl.h>

#include <string>
#include <thread>

#include "common/crypto/openssl.h"

namespace fed::server {

// Serves TestPki::Shared()'s certificate from construction to destruction.
class TlsServer {
 public:
  struct Options {
    int oldest = TLS1_2_VERSION;  // as gRPC sets it
    int newest = TLS1_3_VERSION;
    bool wants_certificate = false;
    bool answers = true;  // false: connections are never accepted
  };
  explicit TlsServer(const Options& options);
  ~TlsServer();

  const std::string& address() const { return address_; }  // "127.0.0.1:<port>"

 private:
  void Serve();

  OpensslPointer<SSL_CTX, &SSL_CTX_free> context_;
  int listener_ = -1;
  std::string address_;
  std::thread thread_;
};

}  // namespace fed::server

#endif  // FED_TESTS_UNIT_SERVER_SECURITY_TLS_SERVER_H_
