// A gRPC server over mutual TLS whose answers a test writes down.
#ifndef FED_TESTS_UNIT_CLIENT_SDK_TRANSPORT_SMALL_SERVER_H_
#define FED_TESTS_UNIT_CLIENT_SDK_TRANSPORT_SMALL_SERVER_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "fed/v1/enroll.grpc.pb.h"
#include "fed/v1/participate.grpc.pb.h"
#include "fed/v1/transfer.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "tests/testing/device_pki.h"

namespace fed::client {

using UploadLine = grpc::ServerReaderWriter<v1::UploadReply, v1::UploadRequest>;

// What a call is answered with; set before the server is made.
struct Answers {
  std::function<grpc::Status(const v1::CheckInRequest&, v1::CheckInReply&)> check_in;
  std::function<grpc::Status(const v1::RenewRequest&, v1::RenewReply&)> renew;
  std::function<grpc::Status(const v1::GetManifestRequest&, v1::GetManifestReply&)> manifest;
  std::function<grpc::Status(grpc::ServerContext&, const v1::DownloadRequest&,
                             grpc::ServerWriter<v1::DownloadPiece>&)>
      download;
  std::function<grpc::Status(UploadLine&)> upload;
  std::function<grpc::Status(const v1::EnrollDeviceRequest&, v1::EnrollDeviceReply&)> enroll;
  std::function<grpc::Status(const v1::ReenrollRequest&, v1::EnrollDeviceReply&)> reenroll;
  std::function<grpc::Status(const v1::RenewCertificateRequest&, v1::EnrollDeviceReply&)>
      renew_certificate;
};

class SmallServer final : public v1::Participate::Service {
 public:
  // `mutual`: asks for a certificate of `pki`.
  SmallServer(const fed::testing::DevicePki& pki, Answers answers, bool mutual = true)
      : answers_(std::move(answers)), transfer_(*this), enroll_(*this), renewal_(*this) {
    const Credentials own = pki.Server();
    grpc::SslServerCredentialsOptions tls(
        mutual ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
               : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
    tls.pem_root_certs = pki.root_pem();
    tls.pem_key_cert_pairs = {{own.private_key, own.certificate_chain}};
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::SslServerCredentials(tls), &port_);
    builder.SetMaxReceiveMessageSize(-1);
    builder.RegisterService(this);
    builder.RegisterService(&transfer_);
    builder.RegisterService(&enroll_);
    builder.RegisterService(&renewal_);
    server_ = builder.BuildAndStart();
  }
  ~SmallServer() override { Shutdown(); }

  void Shutdown() { server_->Shutdown(std::chrono::system_clock::now()); }
  std::string address() const { return absl::StrCat("127.0.0.1:", port_); }
  int port() const { return port_; }

  // Who checked in: the URI of the certificate.
  std::vector<std::string> callers() {
    MutexLock lock(mu_);
    return callers_;
  }

  grpc::Status CheckIn(grpc::ServerContext* context, const v1::CheckInRequest* request,
                       v1::CheckInReply* reply) override {
    {
      MutexLock lock(mu_);
      for (const auto& uri : context->auth_context()->FindPropertyValues("peer_uri")) {
        callers_.emplace_back(uri.data(), uri.size());
      }
    }
    return answers_.check_in(*request, *reply);
  }
  grpc::Status Renew(grpc::ServerContext*, const v1::RenewRequest* request,
                     v1::RenewReply* reply) override {
    return answers_.renew(*request, *reply);
  }

 private:
  struct Transfer final : v1::Transfer::Service {
    explicit Transfer(SmallServer& server) : server_(server) {}
    grpc::Status GetManifest(grpc::ServerContext*, const v1::GetManifestRequest* request,
                             v1::GetManifestReply* reply) override {
      return server_.answers_.manifest(*request, *reply);
    }
    grpc::Status Download(grpc::ServerContext* context, const v1::DownloadRequest* request,
                          grpc::ServerWriter<v1::DownloadPiece>* writer) override {
      return server_.answers_.download(*context, *request, *writer);
    }
    grpc::Status Upload(grpc::ServerContext*, UploadLine* line) override {
      return server_.answers_.upload(*line);
    }
    SmallServer& server_;
  };
  struct Enroll final : v1::Enroll::Service {
    explicit Enroll(SmallServer& server) : server_(server) {}
    grpc::Status EnrollDevice(grpc::ServerContext*, const v1::EnrollDeviceRequest* request,
                              v1::EnrollDeviceReply* reply) override {
      return server_.answers_.enroll(*request, *reply);
    }
    grpc::Status Reenroll(grpc::ServerContext*, const v1::ReenrollRequest* request,
                          v1::EnrollDeviceReply* reply) override {
      return server_.answers_.reenroll(*request, *reply);
    }
    SmallServer& server_;
  };
  struct Renewal final : v1::Renewal::Service {
    explicit Renewal(SmallServer& server) : server_(server) {}
    grpc::Status RenewCertificate(grpc::ServerContext*, const v1::RenewCertificateRequest* request,
                                  v1::EnrollDeviceReply* reply) override {
      return server_.answers_.renew_certificate(*request, *reply);
    }
    SmallServer& server_;
  };

  const Answers answers_;
  Transfer transfer_;
  Enroll enroll_;
  Renewal renewal_;
  int port_ = 0;
  Mutex mu_;
  std::vector<std::string> callers_ FED_GUARDED_BY(mu_);
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace fed::client

#endif  // FED_TESTS_UNIT_CLIENT_SDK_TRANSPORT_SMALL_SERVER_H_
