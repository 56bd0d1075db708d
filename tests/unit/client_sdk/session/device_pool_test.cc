// Many devices on real threads, and what is refused before anything begins.
#include "client_sdk/session/device_pool.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client_sdk/session/option_check.h"
#include "common/base/state_lock.h"
#include "common/base/thread_pool.h"
#include "tests/testing/device_pki.h"
#include "tests/testing/fake_transport.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/client_sdk/session/session_fixture.h"

namespace fed::client {
namespace {

using ::fed::testing::FakeServer;
using ::fed::testing::FakeTransportFactory;
using ::fed::testing::FileBytes;
using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// Its record is its own: trainers of one pool run side by side.
class CountingTrainer final : public Trainer {
 public:
  explicit CountingTrainer(std::atomic<int>& trainings) : trainings_(trainings) {}
  StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig&,
                              TrainContext& context) override {
    for (int step = 1; step <= 3; ++step) {
      if (!context.keep_going({step, 3, 0})) return Status(StatusCode::kCancelled, "stopped");
    }
    ++trainings_;
    TrainResult result;
    result.parameters = global.Clone();
    result.scalars = {{"examples", 1}};
    return result;
  }

 private:
  std::atomic<int>& trainings_;
};

class DevicePoolTest : public ::testing::Test {
 protected:
  DevicePoolTest() {
    FakeServer::Script script;
    script.assignment.ref.job = JobId{"keyboard"};
    script.assignment.codec = "fp32";
    script.assignment.update_groups = {"delta"};
    script.assignment.scalars = {"examples"};
    script.assignment.remaining = absl::Minutes(10);
    script.assignment.renew_every = absl::Milliseconds(1);
    script.rounds = 3;
    server_ = std::make_unique<FakeServer>(script);
    server_->AddVersion({{"model", FileBytes(SmallModel(0))}});
    server_->AddVersion({{"model", FileBytes(SmallModel(1))}});
  }

  std::unique_ptr<DevicePool> NewPool(int threads) {
    DevicePool::Parts parts;
    parts.factory = std::make_unique<FakeTransportFactory>(*server_, network_);
    parts.threads = threads;
    return std::make_unique<DevicePool>(std::move(parts));
  }

  ClientOptions Options(int device) {
    const Credentials credentials = pki_.Device(absl::StrCat("device-", device));
    const std::string folder = folder_.File(absl::StrCat("device-", device));
    FileSystem& files = FileSystem::Real();
    EXPECT_OK(files.MakeFolder(folder));
    ClientOptions options;
    options.server = "fed.test:7443";
    options.identity = {"", "", JoinPath(folder, "c.pem"), JoinPath(folder, "k.pem"),
                        JoinPath(folder, "r.pem")};
    EXPECT_OK(
        WriteFileDurably(files, options.identity.certificate_path, credentials.certificate_chain));
    EXPECT_OK(WriteFileDurably(files, options.identity.key_path, credentials.private_key));
    EXPECT_OK(WriteFileDurably(files, options.identity.ca_path, credentials.root));
    options.state_dir = JoinPath(folder, "state");
    options.job = "keyboard";
    options.durability = Durability::kNormal;
    options.retry_first = std::chrono::milliseconds(1);
    options.retry_longest = std::chrono::milliseconds(5);
    options.trainer = [this](const JobInfo&) -> StatusOr<std::unique_ptr<Trainer>> {
      return std::unique_ptr<Trainer>(std::make_unique<CountingTrainer>(trainings_));
    };
    return options;
  }

  fed::testing::TempFolder folder_;
  fed::testing::DevicePki pki_;
  std::unique_ptr<FakeServer> server_;
  std::atomic<int> trainings_{0};
  ThreadPool network_{"network", 2, Clock::Real()};
};

TEST_F(DevicePoolTest, ManyDevicesWorkThroughTheirRoundsOnAFewThreads) {
  constexpr int kDevices = 20;
  std::atomic<int> ended{0}, good{0};
  const auto pool = NewPool(3);
  for (int i = 0; i < kDevices; ++i) {
    const auto device = pool->Add(Options(i));
    ASSERT_THAT(device, IsOk());
    pool->Start(*device, [&](const Status& status) {
      ++ended;
      if (status.ok()) ++good;
    });
  }
  pool->Wait();

  EXPECT_EQ(ended, kDevices);
  EXPECT_EQ(good, kDevices);
  EXPECT_EQ(trainings_, 3 * kDevices);
  const auto taken = server_->taken();
  EXPECT_THAT(taken, SizeIs(3 * kDevices));
  std::set<wire::AssignmentRef> refs;
  for (const auto& update : taken) refs.insert(update.ref);
  EXPECT_THAT(refs, SizeIs(3 * kDevices));
}

TEST_F(DevicePoolTest, StopEndsAllOfThemInTheMiddle) {
  constexpr int kDevices = 12;
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> ended{0};
    auto pool = NewPool(2);
    for (int i = 0; i < kDevices; ++i) {
      const auto device = pool->Add(Options(round * kDevices + i));
      ASSERT_THAT(device, IsOk());
      pool->Start(*device, [&](const Status& status) {
        EXPECT_TRUE(status.ok() || status.code() == StatusCode::kCancelled);
        ++ended;
      });
    }
    pool->Stop();
    pool->Wait();
    EXPECT_EQ(ended, kDevices);
  }
}

TEST_F(DevicePoolTest, AStateDirIsFreeAgainWhenItsDeviceHasEnded) {
  const auto pool = NewPool(1);
  const ClientOptions options = Options(0);
  for (int life = 0; life < 3; ++life) {
    const auto device = pool->Add(options);
    ASSERT_THAT(device, IsOk());
    Status end(StatusCode::kInternal, "not told");
    pool->Start(*device, [&](Status status) { end = std::move(status); });
    pool->Wait();
    EXPECT_THAT(end, IsOk());
  }
}

TEST_F(DevicePoolTest, ASecondClientOfAStateDirIsRefusedWithThePidOfTheFirst) {
  const auto pool = NewPool(1);
  const ClientOptions options = Options(0);
  ASSERT_THAT(pool->Add(options), IsOk());
  EXPECT_THAT(pool->Add(options),
              StatusIs(StatusCode::kFailedPrecondition,
                       HasSubstr(absl::StrCat("is in use by process ", ::getpid()))));
}

TEST_F(DevicePoolTest, OptionsThatDoNotFitAreRefusedByName) {
  const ClientOptions good = Options(0);
  EXPECT_THAT(CheckOptions(good), IsOk());
  const auto refused = [&](const std::function<void(ClientOptions&)>& change) {
    ClientOptions options = good;
    change(options);
    const Status status = CheckOptions(options);
    EXPECT_EQ(status.code(), StatusCode::kInvalidArgument);
    return status.message();
  };
  EXPECT_THAT(refused([](auto& o) { o.server = ""; }), HasSubstr("ClientOptions.server"));
  EXPECT_THAT(refused([](auto& o) { o.state_dir = ""; }), HasSubstr("ClientOptions.state_dir"));
  EXPECT_THAT(refused([](auto& o) { o.trainer = nullptr; }), HasSubstr("ClientOptions.trainer"));
  EXPECT_THAT(refused([](auto& o) { o.job = "Keyboard"; }), HasSubstr("'Keyboard': expected"));
  EXPECT_THAT(refused([](auto& o) { o.examples = -1; }), HasSubstr("ClientOptions.examples"));
  EXPECT_THAT(refused([](auto& o) { o.identity.key_path = ""; }), HasSubstr("needs key_path"));
  EXPECT_THAT(refused([](auto& o) { o.identity.certificate_path = ""; }),
              HasSubstr("need certificate_path"));
  EXPECT_THAT(refused([](auto& o) {
                o.identity = {"a:1", "not a token", "", "", ""};
              }),
              HasSubstr("identity.enrollment_token"));
  EXPECT_THAT(refused([](auto& o) {
                o.identity = {"", "x", "", "", ""};
              }),
              HasSubstr("identity.enrollment_server"));
  EXPECT_THAT(refused([](auto& o) { o.retry_first = std::chrono::milliseconds(0); }),
              HasSubstr("retry_first"));
  EXPECT_THAT(refused([](auto& o) {
                for (int i = 0; i < 33; ++i) o.labels[absl::StrCat(i)] = "x";
              }),
              HasSubstr("33, at most 32"));
}

}  // namespace
}  // namespace fed::client
