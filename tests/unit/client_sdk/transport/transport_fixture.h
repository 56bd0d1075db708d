// A transport to a server in this process.
#ifndef FED_TESTS_UNIT_CLIENT_SDK_TRANSPORT_TRANSPORT_FIXTURE_H_
#define FED_TESTS_UNIT_CLIENT_SDK_TRANSPORT_TRANSPORT_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "client_sdk/transport/grpc_transport.h"
#include "tests/testing/device_pki.h"
#include "tests/testing/status_matchers.h"
#include "tests/unit/client_sdk/transport/small_server.h"

namespace fed::client {

// The one answer of a call, awaited.
template <typename T>
class Answer {
 public:
  std::function<void(T)> callback() {
    return [promise = promise_](T value) { promise->set_value(std::move(value)); };
  }
  T Get() { return future_.get(); }

 private:
  std::shared_ptr<std::promise<T>> promise_ = std::make_shared<std::promise<T>>();
  std::future<T> future_ = promise_->get_future();
};

inline std::string Pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

inline const wire::AssignmentRef kRef{JobId{"keyboard"}, AssignmentId{7}};

class GrpcTransportTest : public ::testing::Test {
 protected:
  // Before what a test's answers refer to.
  void TearDown() override {
    transport_ = nullptr;
    factory_ = nullptr;
    server_ = nullptr;
  }

  void Serve(Answers answers, GrpcTransportOptions options = {}) {
    transport_ = nullptr;  // before its factory
    server_ = std::make_unique<SmallServer>(pki_, std::move(answers));
    factory_ = NewGrpcTransportFactory(Clock::Real(), options);
    transport_ = *factory_->Connect(server_->address(), pki_.Device("one"));
  }

  StatusOr<wire::CheckInReply> CheckIn(Transport& transport) {
    Answer<StatusOr<wire::CheckInReply>> answer;
    wire::CheckInRequest request;
    request.jobs = {JobId{"keyboard"}};
    request.hold = absl::Seconds(20);
    const auto call = transport.CheckIn(request, answer.callback());
    return answer.Get();
  }

  // An update of these bytes, whatever they are.
  static OutgoingUpdate UpdateOf(const std::string& bytes) {
    OutgoingUpdate update;
    update.begin.ref = kRef;
    update.begin.digest = Sha256(bytes);
    update.begin.header_bytes = 100;
    update.begin.table_bytes = 36;
    update.begin.total_bytes = static_cast<std::int64_t>(bytes.size());
    update.read = [bytes](std::int64_t offset, std::int64_t most) -> StatusOr<std::string> {
      return bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(most));
    };
    return update;
  }

  StatusOr<wire::UploadReply> Send(OutgoingUpdate update) {
    Answer<StatusOr<wire::UploadReply>> answer;
    const auto call = transport_->Send(std::move(update), answer.callback());
    return answer.Get();
  }

  fed::testing::DevicePki pki_;
  std::unique_ptr<SmallServer> server_;
  std::unique_ptr<TransportFactory> factory_;
  std::unique_ptr<Transport> transport_;
};

// Blocks a call within the server until the test lets it go.
class Gate {
 public:
  void Wait() { open_.get_future().wait(); }
  void Open() { open_.set_value(); }

 private:
  std::promise<void> open_;
};

}  // namespace fed::client

#endif  // FED_TESTS_UNIT_CLIENT_SDK_TRANSPORT_TRANSPORT_FIXTURE_H_
