// OpenSSL's system-wide defaults, set in memory; and two handshakes against our own port.
#include "server/security/tls_policy.h"

#include <openssl/conf.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/crypto/certificate.h"
#include "common/crypto/openssl.h"

namespace fed::server {
namespace {

using ConfPointer = OpensslPointer<CONF, &NCONF_free>;
using ContextPointer = OpensslPointer<SSL_CTX, &SSL_CTX_free>;
using SslPointer = OpensslPointer<SSL, &SSL_free>;

constexpr absl::string_view kConfiguration =
    "openssl_conf = fed\n"
    "[fed]\n"
    "ssl_conf = fed_ssl\n"
    "[fed_ssl]\n"
    "system_default = fed_tls13\n"
    "[fed_tls13]\n"
    "Protocol = -TLSv1,-TLSv1.1,-TLSv1.2\n";

constexpr absl::string_view kAlpn = "\x02h2";

// What came back from one hello.
struct Answer {
  bool hello = false;     // a ServerHello: the peer took the version
  bool finished = false;  // the whole handshake
  Status error;           // why not
};

// OpenSSL calls it for every message: a server that takes 1.2 but then wants a certificate has
// answered all the same.
void NoteServerHello(int is_write, int /*version*/, int content_type, const void* bytes,
                     std::size_t size, SSL* /*ssl*/, void* answer) {
  if (is_write == 0 && content_type == SSL3_RT_HANDSHAKE && size > 0 &&
      *static_cast<const unsigned char*>(bytes) == SSL3_MT_SERVER_HELLO) {
    static_cast<Answer*>(answer)->hello = true;
  }
}

StatusOr<BioPointer> Connect(const std::string& address, absl::Duration patience) {
  BioPointer bio(BIO_new(BIO_s_connect()));
  if (bio == nullptr || BIO_set_conn_hostname(bio.get(), address.c_str()) != 1 ||
      BIO_do_connect(bio.get()) != 1) {
    return OpensslError(StatusCode::kUnavailable, absl::StrCat("connect to ", address));
  }
  int fd = -1;
  BIO_get_fd(bio.get(), &fd);
  const timeval timeout = absl::ToTimeval(patience);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  return bio;
}

// Speaks exactly `version`, also where RequireTls13 forbade it to this process.
StatusOr<ContextPointer> ContextFor(int version, absl::string_view ca_pem) {
  ContextPointer context(SSL_CTX_new(TLS_client_method()));
  if (context == nullptr) return OpensslError(StatusCode::kInternal, "TLS context");
  SSL_CTX_clear_options(context.get(), SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
  if (SSL_CTX_set_min_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_max_proto_version(context.get(), version) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), AsBytes(kAlpn).data(),
                              static_cast<unsigned>(kAlpn.size())) != 0) {
    return OpensslError(StatusCode::kInternal, "TLS context");
  }
  FED_ASSIGN_OR_RETURN(const std::vector<Certificate> roots, CertificatesFromPem(ca_pem));
  for (const Certificate& root : roots) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context.get()), root.get());
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  return context;
}

StatusOr<Answer> SayHello(const std::string& address, int version, absl::string_view ca_pem,
                          absl::Duration patience) {
  ForgetOpensslErrors();
  FED_ASSIGN_OR_RETURN(const ContextPointer context, ContextFor(version, ca_pem));
  FED_ASSIGN_OR_RETURN(BioPointer bio, Connect(address, patience));
  const SslPointer ssl(SSL_new(context.get()));
  if (ssl == nullptr) return OpensslError(StatusCode::kInternal, "TLS connection");
  Answer answer;
  SSL_set_msg_callback(ssl.get(), &NoteServerHello);
  SSL_set_msg_callback_arg(ssl.get(), &answer);
  BIO* raw = bio.release();
  SSL_set_bio(ssl.get(), raw, raw);  // owns it now
  const int outcome = SSL_connect(ssl.get());
  answer.finished = outcome == 1;
  if (!answer.finished && SSL_get_error(ssl.get(), outcome) == SSL_ERROR_WANT_READ) {
    answer.error = Status(StatusCode::kUnavailable,
                          absl::StrCat(address, " did not answer a TLS hello within ",
                                       absl::FormatDuration(patience)));
  } else if (!answer.finished) {
    const long trust = SSL_get_verify_result(ssl.get());  // NOLINT: OpenSSL's type
    answer.error = OpensslError(StatusCode::kFailedPrecondition,
                                trust == X509_V_OK
                                    ? absl::StrCat(address, " ended the handshake")
                                    : absl::StrCat(address, ": its certificate is not trusted (",
                                                   X509_verify_cert_error_string(trust), ")"));
  }
  SSL_set_msg_callback(ssl.get(), nullptr);
  return answer;
}

}  // namespace

Status RequireTls13() {
  ForgetOpensslErrors();
  // First, or OpenSSL would read the machine's openssl.cnf later and put it on top of ours.
  if (OPENSSL_init_ssl(OPENSSL_INIT_LOAD_CONFIG, nullptr) != 1) {
    return OpensslError(StatusCode::kInternal, "start OpenSSL");
  }
  const ConfPointer conf(NCONF_new(nullptr));
  const BioPointer text = ReadingBio(kConfiguration);
  long line = 0;  // NOLINT: OpenSSL's type
  if (conf == nullptr || NCONF_load_bio(conf.get(), text.get(), &line) != 1 ||
      CONF_modules_load(conf.get(), nullptr, 0) != 1) {
    return OpensslError(StatusCode::kInternal, "require TLS 1.3");
  }
  const ContextPointer context(SSL_CTX_new(TLS_method()));
  if (context == nullptr || (SSL_CTX_get_options(context.get()) & SSL_OP_NO_TLSv1_2) == 0) {
    return OpensslError(StatusCode::kInternal, "OpenSSL did not take the TLS 1.3 configuration");
  }
  return Status();
}

Status ProbeTls13Only(const std::string& address, absl::string_view ca_pem,
                      absl::Duration patience) {
  FED_ASSIGN_OR_RETURN(const Answer wanted, SayHello(address, TLS1_3_VERSION, ca_pem, patience));
  if (!wanted.finished) return wanted.error;
  FED_ASSIGN_OR_RETURN(const Answer unwanted, SayHello(address, TLS1_2_VERSION, ca_pem, patience));
  if (!unwanted.hello) return Status();
  return Status(StatusCode::kFailedPrecondition,
                absl::StrCat(address, " answers TLS 1.2: only TLS 1.3 may be served"));
}

}  // namespace fed::server
