// Unary calls against a server in this process, over real TLS.
#include "client_sdk/transport/grpc_transport.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/client_sdk/transport/transport_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::DevicePki;
using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Answers ComesBackLater() {
  Answers answers;
  answers.check_in = [](const v1::CheckInRequest& request, v1::CheckInReply& reply) {
    reply.mutable_come_back()->set_reason(v1::ComeBack::REASON_NO_WORK);
    reply.mutable_come_back()->set_after_ms(1'500);
    reply.mutable_come_back()->set_text(absl::StrCat(request.jobs(0), " held ", request.hold_ms()));
    return grpc::Status::OK;
  };
  return answers;
}

TEST_F(GrpcTransportTest, ACheckInCarriesRequestAndReply) {
  Serve(ComesBackLater());
  const auto reply = CheckIn(*transport_);
  ASSERT_THAT(reply, IsOk());
  const auto& later = std::get<wire::ComeBack>(reply->work);
  EXPECT_EQ(later.after, absl::Milliseconds(1'500));
  EXPECT_EQ(later.text, "keyboard held 20000");
  EXPECT_THAT(server_->callers(), ElementsAre("spiffe://fed.test/client/one"));
}

TEST_F(GrpcTransportTest, DevicesOfOneProcessKeepTheirIdentitiesApart) {
  Serve(ComesBackLater());
  const auto two = *factory_->Connect(server_->address(), pki_.Device("two"));
  ASSERT_THAT(CheckIn(*transport_), IsOk());
  ASSERT_THAT(CheckIn(*two), IsOk());
  EXPECT_THAT(server_->callers(),
              ElementsAre("spiffe://fed.test/client/one", "spiffe://fed.test/client/two"));
}

TEST_F(GrpcTransportTest, AnErrorKeepsItsCodeAndItsMessage) {
  Answers answers;
  answers.manifest = [](const v1::GetManifestRequest&, v1::GetManifestReply&) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no version 9 of keyboard");
  };
  Serve(std::move(answers));
  Answer<StatusOr<Manifest>> answer;
  const auto call = transport_->GetManifest(JobId{"keyboard"}, ModelVersion{9}, answer.callback());
  EXPECT_THAT(answer.Get(), StatusIs(StatusCode::kNotFound, "no version 9 of keyboard"));
}

TEST_F(GrpcTransportTest, AnAnswerThatIsNotOfTheProtocolIsInternal) {
  Answers answers;
  answers.check_in = [](const v1::CheckInRequest&, v1::CheckInReply&) {
    return grpc::Status::OK;  // neither work nor come-back
  };
  Serve(std::move(answers));
  EXPECT_THAT(CheckIn(*transport_),
              StatusIs(StatusCode::kInternal, HasSubstr("the server's answer")));
}

TEST_F(GrpcTransportTest, ARenewalCarriesProgress) {
  Answers answers;
  answers.renew = [](const v1::RenewRequest& request, v1::RenewReply& reply) {
    reply.set_go_on(false);
    reply.set_reason(absl::StrCat(request.step(), "/", request.steps(), " ", request.loss()));
    return grpc::Status::OK;
  };
  Serve(std::move(answers));
  Answer<StatusOr<wire::RenewReply>> answer;
  const auto call =
      transport_->Renew({kRef, wire::Stage::kTraining, 3, 10, 0.5}, answer.callback());
  const auto reply = answer.Get();
  ASSERT_THAT(reply, IsOk());
  EXPECT_FALSE(reply->go_on);
  EXPECT_EQ(reply->reason, "3/10 0.5");
}

TEST_F(GrpcTransportTest, AServerThatIsAwayIsUnavailable) {
  Serve(ComesBackLater());
  server_->Shutdown();
  EXPECT_THAT(CheckIn(*transport_), StatusIs(StatusCode::kUnavailable));
}

TEST_F(GrpcTransportTest, AServerOfAnotherCaIsNotTalkedTo) {
  Serve(ComesBackLater());
  const DevicePki other;
  Credentials credentials = pki_.Device("one");
  credentials.root = other.root_pem();
  EXPECT_THAT(CheckIn(**factory_->Connect(server_->address(), credentials)),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(server_->callers(), IsEmpty());
}

TEST_F(GrpcTransportTest, ADeviceOfAnotherCaIsNotTakenIn) {
  Serve(ComesBackLater());
  Credentials credentials = DevicePki().Device("one");
  credentials.root = pki_.root_pem();
  EXPECT_THAT(CheckIn(**factory_->Connect(server_->address(), credentials)),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(server_->callers(), IsEmpty());
}

TEST_F(GrpcTransportTest, AServerOfAnotherNameIsNotTalkedTo) {
  Serve(ComesBackLater());
  const std::string address = absl::StrCat("127.0.0.2:", server_->port());
  EXPECT_THAT(CheckIn(**factory_->Connect(address, pki_.Device("one"))),
              StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(server_->callers(), IsEmpty());
}

TEST_F(GrpcTransportTest, ACallThatIsDroppedEndsCancelled) {
  Gate gate;
  Answers answers = ComesBackLater();
  answers.check_in = [&](const v1::CheckInRequest&, v1::CheckInReply&) {
    gate.Wait();
    return grpc::Status::OK;
  };
  Serve(std::move(answers));
  Answer<StatusOr<wire::CheckInReply>> answer;
  wire::CheckInRequest request;
  request.hold = absl::Seconds(20);
  auto call = transport_->CheckIn(request, answer.callback());
  call = nullptr;
  EXPECT_THAT(answer.Get(), StatusIs(StatusCode::kCancelled));
  gate.Open();
}

TEST_F(GrpcTransportTest, ATransportThatIsDroppedEndsItsCalls) {
  Gate gate;
  Answers answers = ComesBackLater();
  answers.check_in = [&](const v1::CheckInRequest&, v1::CheckInReply&) {
    gate.Wait();
    return grpc::Status::OK;
  };
  Serve(std::move(answers));
  Answer<StatusOr<wire::CheckInReply>> answer;
  wire::CheckInRequest request;
  request.hold = absl::Seconds(20);
  const auto call = transport_->CheckIn(request, answer.callback());
  transport_ = nullptr;
  EXPECT_THAT(answer.Get(), StatusIs(StatusCode::kCancelled));
  gate.Open();
}

}  // namespace
}  // namespace fed::client
