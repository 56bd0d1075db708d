// Connections to a FakeServer behind the device's transport.
#ifndef FED_TESTS_TESTING_FAKE_TRANSPORT_H_
#define FED_TESTS_TESTING_FAKE_TRANSPORT_H_

#include <functional>
#include <memory>
#include <string>

#include "client_sdk/transport/transport.h"
#include "common/base/executor.h"
#include "fed/status.h"
#include "tests/testing/fake_server.h"

namespace fed::testing {

class CallbackLine;

// Connections to it. A device is known by its certificate's URI. Callbacks are called on
// `executor`.
class FakeTransportFactory final : public client::TransportFactory {
 public:
  FakeTransportFactory(FakeServer& server, Executor& executor);
  ~FakeTransportFactory() override;

  StatusOr<std::unique_ptr<client::Transport>> Connect(
      const std::string& server, const client::Credentials& credentials) override;
  std::unique_ptr<client::Call> Enroll(
      const std::string& enrollment_server, client::EnrollRequest request,
      std::function<void(StatusOr<client::Enrolled>)> done) override;
  std::unique_ptr<client::Call> Reenroll(
      const std::string& enrollment_server, client::ReenrollRequest request,
      std::function<void(StatusOr<client::Enrolled>)> done) override;

 private:
  FakeServer& server_;
  Executor& executor_;
  const std::shared_ptr<CallbackLine> line_;  // shared with tasks on the executor
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_FAKE_TRANSPORT_H_
