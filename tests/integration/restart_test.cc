// The server goes away in the middle of a round and comes back over the same state.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "tests/integration/job_operator.h"
#include "tests/integration/running_server.h"
#include "tests/integration/sdk_devices.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::Pair;
using ::testing::UnorderedElementsAre;

// Stops whoever passes, from Close to Open.
class Gate {
 public:
  void Pass() {
    MutexLock lock(mu_);
    ++waiting_;
    changed_.notify_all();
    Await([this]() FED_REQUIRES(mu_) { return open_; });
    --waiting_;
  }
  void Close() { Set(false); }
  void Open() { Set(true); }
  bool AwaitSomebody() {
    MutexLock lock(mu_);
    return Await([this]() FED_REQUIRES(mu_) { return waiting_ > 0; });
  }

 private:
  void Set(bool open) {
    MutexLock lock(mu_);
    open_ = open;
    changed_.notify_all();
  }
  template <typename Condition>
  bool Await(Condition condition) FED_REQUIRES(mu_) {
    const Clock& clock = Clock::Real();
    return clock.AwaitUntil(mu_, changed_, condition, clock.Now() + kPatience);
  }

  Mutex mu_;
  CondVar changed_;
  bool open_ FED_GUARDED_BY(mu_) = true;
  int waiting_ FED_GUARDED_BY(mu_) = 0;
};

// The built-in trainer behind a gate.
TrainerFactory Gated(TrainerFactory factory, Gate& gate) {
  class GatedTrainer final : public Trainer {
   public:
    GatedTrainer(std::unique_ptr<Trainer> trainer, Gate& gate)
        : trainer_(std::move(trainer)), gate_(gate) {}
    StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig& config,
                                TrainContext& context) override {
      gate_.Pass();
      return trainer_->Train(global, config, context);
    }

   private:
    const std::unique_ptr<Trainer> trainer_;
    Gate& gate_;
  };
  return [factory = std::move(factory),
          &gate](const JobInfo& job) -> StatusOr<std::unique_ptr<Trainer>> {
    FED_ASSIGN_OR_RETURN(std::unique_ptr<Trainer> trainer, factory(job));
    return std::unique_ptr<Trainer>(std::make_unique<GatedTrainer>(std::move(trainer), gate));
  };
}

// Two devices in two rounds, of which the slow one trains behind a gate. What happens while it
// stands there in round 1 is up to the test.
class RestartTest : public ::testing::Test {
 protected:
  std::string DigestOfRun(const std::string& job, const std::function<void()>& meanwhile) {
    oper_.Create({.id = job,
                  .rounds = 2,
                  .cohort = 2,
                  .training = "learning_rate = 0.3\nepochs = 2\nbatch_size = 4"});
    gate_.Close();
    SdkDevices devices(server_);
    devices.Add(TestPki::Shared().Client("quick"), job, quick_data_.NativeTrainer());
    devices.Add(TestPki::Shared().Client("slow"), job, Gated(slow_data_.NativeTrainer(), gate_));
    EXPECT_TRUE(gate_.AwaitSomebody());
    EXPECT_TRUE(oper_.Await(job, [&] { return oper_.Round(job).round().updates() == 1; }));
    meanwhile();
    gate_.Open();
    EXPECT_TRUE(devices.AwaitEnds());
    EXPECT_THAT(devices.ends(), UnorderedElementsAre(Pair(absl::StrCat("quick/", job), IsOk()),
                                                     Pair(absl::StrCat("slow/", job), IsOk())));
    JobOperator afterwards(server_);
    EXPECT_EQ(afterwards.Show(job).state(), v1::JOB_STATE_COMPLETED);
    EXPECT_EQ(afterwards.Show(job).rounds_done(), 2);
    return afterwards.DigestOf(job, 2);
  }

  const TinyData quick_data_{16, 1}, slow_data_{24, 2};
  Gate gate_;
  RunningServer server_;
  JobOperator oper_{server_};
};

TEST_F(RestartTest, ARoundInWhichTheServerWasCutOffEndsAsIfItHadNot) {
  const std::string undisturbed = DigestOfRun("calm", [] {});

  const std::string digest = DigestOfRun("cut-off", [&] {
    server_.Stop();
    server_.Start();
    const v1::ShowRoundReply round = JobOperator(server_).Round("cut-off");
    EXPECT_EQ(round.round().round(), 1);
    EXPECT_EQ(round.round().state(), "OPEN");
    EXPECT_EQ(round.round().updates(), 1) << "the receipt is still there";
  });

  EXPECT_EQ(digest, undisturbed);
}

TEST_F(RestartTest, ARoundInWhichTheServerWasDrainedEndsAsIfItHadNot) {
  const std::string undisturbed = DigestOfRun("calm", [] {});

  const std::string digest = DigestOfRun("drained", [&] {
    server_.Drain();
    server_.Stop();
    server_.Start();
  });

  EXPECT_EQ(digest, undisturbed);
}

TEST_F(RestartTest, ASecondServerOnTheSameStateIsRefused) {
  server::ServerConfig config;
  config.listen.main = config.listen.enrollment = config.listen.admin = "127.0.0.1:0";
  config.ca.folder = TestPki::Shared().folder();
  config.storage.state_dir = server_.File("state");
  server::ResolvePaths("/", config);

  const auto second = server::Server::Start(config, Log::Null(), [](const Status&) {});

  EXPECT_THAT(second, StatusIs(StatusCode::kFailedPrecondition,
                               ::testing::HasSubstr(absl::StrCat(::getpid()))));
}

}  // namespace
}  // namespace fed::testing
