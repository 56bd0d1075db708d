// Options, files and lambdas.
#include "tests/integration/sdk_devices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tests/testing/update_builder.h"

namespace fed::testing {
namespace {

constexpr int kFeatures = 4;
constexpr int kClasses = 3;

class FunctionTrainer final : public Trainer {
 public:
  explicit FunctionTrainer(TrainFunction train) : train_(std::move(train)) {}
  StatusOr<TrainResult> Train(const Parameters& global, const TrainConfig&,
                              TrainContext& context) override {
    return train_(global, context);
  }

 private:
  const TrainFunction train_;
};

std::string Written(const std::string& path, const std::string& text) {
  FED_CHECK(WriteFileDurably(FileSystem::Real(), path, text).ok());
  return path;
}

}  // namespace

SdkDevices::SdkDevices(const RunningServer& server, int threads)
    : server_(server), pool_(Must(ClientPool::New(threads))) {}

SdkDevices::~SdkDevices() {
  pool_.reset();
  if (!::testing::Test::HasFailure()) return;
  MutexLock lock(mu_);
  std::cerr << absl::StrCat("the devices' log:\n", absl::StrJoin(lines_, "\n"), "\n");
}

void SdkDevices::Add(const TestIdentity& identity, const std::string& job, TrainerFactory trainer) {
  const std::string& id = identity.caller.id.value;
  ClientOptions options;
  options.identity.certificate_path = Written(folder_.File(id + ".pem"), identity.certificate_pem);
  options.identity.key_path = Written(folder_.File(id + ".key"), identity.key_pem);
  options.identity.ca_path = Written(folder_.File(id + ".root"), TestPki::Shared().root_pem());
  options.trainer = std::move(trainer);
  Start(id, job, std::move(options));
}

void SdkDevices::AddWithToken(const std::string& name, const std::string& token,
                              const std::string& job, TrainerFactory trainer) {
  ClientOptions options;
  options.identity.enrollment_server = server_.addresses().enrollment;
  options.identity.enrollment_token = token;
  options.trainer = std::move(trainer);
  Start(name, job, std::move(options));
}

void SdkDevices::Start(const std::string& name, const std::string& job, ClientOptions options) {
  options.server = server_.addresses().main;
  options.state_dir = folder_.File(absl::StrCat(name, "-", job));
  options.name = name;
  options.job = job;
  options.durability = Durability::kNormal;
  options.retry_first = std::chrono::milliseconds(20);
  options.retry_longest = std::chrono::milliseconds(500);
  options.on_log = [this, name](LogSeverity, std::string_view line) {
    MutexLock lock(mu_);
    lines_.push_back(absl::StrCat(name, ": ", std::string(line)));
  };
  {
    MutexLock lock(mu_);
    ++added_;
  }
  const Status added = pool_->Add(std::move(options), [this, name, job](const Status& end) {
    MutexLock lock(mu_);
    ends_.emplace(absl::StrCat(name, "/", job), end);
    changed_.notify_all();
  });
  FED_CHECK(added.ok());
}

bool SdkDevices::AwaitEnds() {
  const Clock& clock = Clock::Real();
  MutexLock lock(mu_);
  return clock.AwaitUntil(
      mu_, changed_, [this]() FED_REQUIRES(mu_) { return ends_.size() == added_; },
      clock.Now() + kPatience);
}

std::map<std::string, Status> SdkDevices::ends() const {
  MutexLock lock(mu_);
  return ends_;
}

TinyData::TinyData(int examples, std::uint64_t seed)
    : features_(SomeValues(std::int64_t{examples} * kFeatures, seed)) {
  for (int i = 0; i < examples; ++i) {
    const auto first = features_.begin() + std::ptrdiff_t{i} * kFeatures;
    labels_.push_back(static_cast<float>(std::max_element(first, first + kClasses) - first));
  }
  dataset_ = Must(NewMemoryDataset(features_, {kFeatures}, labels_));
}

TrainerFactory TinyData::NativeTrainer() const {
  return [this](const JobInfo& job) {
    return NewNativeTrainer(*job.plan, *dataset_, Device{Device::Kind::kCpu, 0});
  };
}

TrainerFactory TrainBy(TrainFunction train) {
  return [train = std::move(train)](const JobInfo&) -> StatusOr<std::unique_ptr<Trainer>> {
    return std::unique_ptr<Trainer>(std::make_unique<FunctionTrainer>(train));
  };
}

}  // namespace fed::testing
