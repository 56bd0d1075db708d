// Enrollment, re-enrollment and renewal as calls.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "client_sdk/transport/grpc_transport.h"
#include "common/crypto/certificate.h"
#include "common/crypto/csr.h"
#include "tests/unit/client_sdk/transport/transport_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::DevicePki;
using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class EnrollTest : public GrpcTransportTest {
 protected:
  void ServeEnrollment() {
    Answers answers;
    answers.enroll = [this](const v1::EnrollDeviceRequest& request, v1::EnrollDeviceReply& reply) {
      token_ = request.token();
      label_ = request.labels().at("site");
      Certify(request.csr(), reply);
      return grpc::Status::OK;
    };
    answers.reenroll = [this](const v1::ReenrollRequest& request, v1::EnrollDeviceReply& reply) {
      signature_ = request.old_key_signature();
      Certify(request.csr(), reply);
      return grpc::Status::OK;
    };
    server_ = std::make_unique<SmallServer>(pki_, std::move(answers), /*mutual=*/false);
    factory_ = NewGrpcTransportFactory();
  }

  void Certify(const std::string& csr_der, v1::EnrollDeviceReply& reply) {
    const auto csr = Csr::FromDer(csr_der);
    const std::string pem = pki_.Certify(csr->public_key(), "one", absl::FromUnixSeconds(0),
                                         absl::FromUnixSeconds(4'000'000'000));
    reply.set_certificate(Certificate::FromPem(pem)->ToDer());
    reply.add_chain(Certificate::FromPem(pki_.root_pem())->ToDer());
  }

  StatusOr<Enrolled> Enroll(const std::string& address, const std::string& fingerprint) {
    Answer<StatusOr<Enrolled>> answer;
    EnrollRequest request;
    request.token = "secret";
    request.root_fingerprint = fingerprint;
    request.csr_der = Csr::Make(key_).der();
    request.labels = {{"site", "berlin"}};
    const auto call = factory_->Enroll(address, request, answer.callback());
    return answer.Get();
  }

  PrivateKey key_ = PrivateKey::Generate();
  std::string token_, label_, signature_;
};

TEST_F(EnrollTest, ATokensFingerprintLeadsToItsServer) {
  ServeEnrollment();
  const auto enrolled = Enroll(server_->address(), pki_.root_fingerprint().ToHex());
  ASSERT_THAT(enrolled, IsOk());
  EXPECT_EQ(token_, "secret");
  EXPECT_EQ(label_, "berlin");
  EXPECT_EQ(enrolled->root, pki_.root_pem());
  EXPECT_TRUE(Certificate::FromPem(enrolled->certificate_chain)->FitsKey(key_));
  EXPECT_THAT(*CertificatesFromPem(enrolled->certificate_chain), SizeIs(1));  // without the root
}

TEST_F(EnrollTest, NoTokenIsShownToAServerThatItDoesNotName) {
  ServeEnrollment();
  EXPECT_THAT(
      Enroll(server_->address(), DevicePki().root_fingerprint().ToHex()),
      StatusIs(StatusCode::kFailedPrecondition, HasSubstr("is not the server of the token")));
  EXPECT_EQ(token_, "");
}

TEST_F(EnrollTest, AServerThatIsAwayOrNoAddressIsSaidAsSuch) {
  ServeEnrollment();
  server_->Shutdown();
  const std::string fingerprint = pki_.root_fingerprint().ToHex();
  EXPECT_THAT(Enroll(server_->address(), fingerprint), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Enroll("no port", fingerprint),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("expected host:port")));
}

TEST_F(EnrollTest, AnExpiredDeviceIsTakenBack) {
  ServeEnrollment();
  Answer<StatusOr<Enrolled>> answer;
  const auto call = factory_->Reenroll(server_->address(),
                                       {"der", Csr::Make(key_).der(), "signature", pki_.root_pem()},
                                       answer.callback());
  EXPECT_THAT(answer.Get(), IsOk());
  EXPECT_EQ(signature_, "signature");
}

TEST_F(EnrollTest, ACertificateIsRenewedOverTheMainListener) {
  Answers answers;
  answers.renew_certificate = [this](const v1::RenewCertificateRequest& request,
                                     v1::EnrollDeviceReply& reply) {
    Certify(request.csr(), reply);
    return grpc::Status::OK;
  };
  Serve(std::move(answers));
  Answer<StatusOr<std::string>> answer;
  const auto call = transport_->RenewCertificate(Csr::Make(key_).der(), answer.callback());
  const auto chain = answer.Get();
  ASSERT_THAT(chain, IsOk());
  EXPECT_TRUE(Certificate::FromPem(*chain)->FitsKey(key_));
}

}  // namespace
}  // namespace fed::client
