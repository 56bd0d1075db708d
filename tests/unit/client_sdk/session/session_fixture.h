// One device on a hand-cranked executor against a server in memory.
#ifndef FED_TESTS_UNIT_CLIENT_SDK_SESSION_SESSION_FIXTURE_H_
#define FED_TESTS_UNIT_CLIENT_SDK_SESSION_SESSION_FIXTURE_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "client_sdk/session/device_session.h"
#include "tests/testing/device_pki.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/fake_transport.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {

inline Parameters SmallModel(float value) {
  Parameters parameters;
  EXPECT_OK(parameters.Add({"fc.weight", Dtype::kF32, {3}}));
  EXPECT_OK(parameters.Add({"own.bias", Dtype::kF32, {2}}));
  for (std::size_t i = 0; i < 2; ++i) {
    for (float& v : parameters.values(i)) v = value;
  }
  return parameters;
}

// What a FakeTrainer was asked, whichever of them.
struct TrainingRecord {
  int trainings = 0, evaluations = 0;
  std::vector<std::uint64_t> seeds;
  std::vector<float> local_values;  // own.bias as it came
  std::vector<std::string> groups;  // names of further groups
};

// Adds 1 to every value in `steps` batches.
class FakeTrainer final : public Trainer {
 public:
  struct Plan {
    int steps = 1;
    Status fails;
    std::function<void(int step)> at_step;
    std::string extra_group;
  };
  FakeTrainer(TrainingRecord& record, const Plan& plan) : record_(record), plan_(plan) {}

  StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig&,
                              TrainContext& context) override {
    ++record_.trainings;
    record_.seeds.push_back(context.seed);
    if (const auto own = global.Find("own.bias")) {
      record_.local_values.push_back(global.values(*own)[0]);
    }
    for (const auto& [name, group] : context.groups) record_.groups.push_back(name);
    if (!plan_.fails.ok()) return plan_.fails;
    for (int step = 1; step <= plan_.steps; ++step) {
      if (plan_.at_step) plan_.at_step(step);
      if (!context.keep_going({step, plan_.steps, 0.25})) {
        return Status(StatusCode::kCancelled, "told to stop");
      }
    }
    TrainResult result;
    result.parameters = global.Clone();
    for (std::size_t i = 0; i < global.size(); ++i) {
      for (float& v : result.parameters.values(i)) v += 1;
    }
    if (!plan_.extra_group.empty()) result.groups[plan_.extra_group] = global.Clone();
    result.scalars = {{"examples", 10}, {"loss", 0.25}};
    return result;
  }

  StatusOr<std::map<std::string, double>> Evaluate(const Parameters& model, const TrainConfig&,
                                                   TrainContext&) override {
    ++record_.evaluations;
    return std::map<std::string, double>{{"examples", 5}, {"loss", model.values(0)[0]}};
  }

 private:
  TrainingRecord& record_;
  const Plan& plan_;
};

class SessionFixture : public ::testing::Test {
 protected:
  SessionFixture() {
    options_.server = "fed.test:7443";
    options_.identity = {"", "", "/pki/cert.pem", "/pki/key.pem", "/pki/root.pem"};
    options_.state_dir = "/state";
    options_.job = "keyboard";
    options_.trainer = [this](const JobInfo&) -> StatusOr<std::unique_ptr<Trainer>> {
      return std::unique_ptr<Trainer>(std::make_unique<FakeTrainer>(record_, plan_));
    };
    options_.on_progress = [this](const ClientProgress& p) { progress_.push_back(p); };
    GiveCertificate(pki_.Device("device-1"));

    script_.assignment.ref.job = JobId{"keyboard"};
    script_.assignment.codec = "fp32";
    script_.assignment.update_groups = {"delta"};
    script_.assignment.scalars = {"examples", "loss"};
    script_.assignment.patterns.local = {"own.*"};
    script_.assignment.remaining = absl::Minutes(10);
    script_.assignment.renew_every = absl::Seconds(5);
    script_.assignment.seed = 42;
  }

  void GiveCertificate(const Credentials& credentials) {
    ASSERT_OK(files_.MakeFolder("/pki"));
    ASSERT_OK(WriteFileDurably(files_, "/pki/cert.pem", credentials.certificate_chain));
    ASSERT_OK(WriteFileDurably(files_, "/pki/key.pem", credentials.private_key));
    ASSERT_OK(WriteFileDurably(files_, "/pki/root.pem", credentials.root));
    ASSERT_OK(files_.SyncFolder("/"));
  }

  // The server of script_, with versions 0 and 1.
  void MakeServer() {
    server_ = std::make_unique<testing::FakeServer>(script_);
    server_->AddVersion({{"model", testing::FileBytes(SmallModel(0))}});
    server_->AddVersion({{"model", testing::FileBytes(SmallModel(1))}});
  }

  // A new process over the same folder.
  void StartDevice() {
    ended_.reset();
    executor_ = std::make_unique<testing::ManualExecutor>(clock_);
    factory_ = std::make_unique<testing::FakeTransportFactory>(*server_, *executor_);
    const SessionContext::Parts parts{options_, files_, clock_, *executor_, *executor_, log_, 1};
    session_ = std::make_shared<DeviceSession>(parts, *factory_,
                                               [this](Status status) { ended_ = status; });
    session_->Start();
  }

  // Everything at hand is gone at once, as after kill -9; the disk stays.
  void KillDevice() {
    session_ = nullptr;
    factory_ = nullptr;
    executor_ = nullptr;
  }

  // Runs, letting time pass whenever nothing else can happen, until `until` or the end. False if
  // that does not come within an hour of the device's time.
  bool RunUntil(const std::function<bool()>& until) {
    const absl::Time limit = clock_.Now() + absl::Hours(1);
    while (clock_.Now() < limit) {
      if (until() || ended_) return until() || ended_.has_value();
      if (executor_->RunOne()) continue;
      if (executor_->NextTime() == absl::InfiniteFuture()) return false;
      clock_.Advance(executor_->NextTime() - clock_.Now());
    }
    return false;
  }
  Status RunToTheEnd() {
    if (!RunUntil([] { return false; })) return Status(StatusCode::kInternal, "it did not end");
    return *ended_;
  }
  Status RunDevice() {
    StartDevice();
    return RunToTheEnd();
  }

  bool Logged(const std::string& text) const {
    for (const std::string& line : lines_) {
      if (line.find(text) != std::string::npos) return true;
    }
    return false;
  }

  testing::ManualClock clock_;
  testing::FakeFiles files_;
  testing::DevicePki pki_;
  ClientOptions options_;
  testing::FakeServer::Script script_;
  TrainingRecord record_;
  FakeTrainer::Plan plan_;
  std::vector<ClientProgress> progress_;
  std::vector<std::string> lines_;
  Log log_{[this](LogLevel, absl::string_view line) { lines_.emplace_back(line); },
           LogLevel::kDebug};
  std::unique_ptr<testing::FakeServer> server_;
  std::unique_ptr<testing::ManualExecutor> executor_;
  std::unique_ptr<testing::FakeTransportFactory> factory_;
  std::shared_ptr<DeviceSession> session_;
  std::optional<Status> ended_;
};

}  // namespace fed::client

#endif  // FED_TESTS_UNIT_CLIENT_SDK_SESSION_SESSION_FIXTURE_H_
