// Any schedule of events, drawn from a seed: devices that vanish, send nonsense, come back;
// restarts, revocations, orders of operators, a disk that fills up.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/random.h"
#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

constexpr int kDevices = 7;
constexpr int kSteps = 150;

class RandomSchedule {
 public:
  explicit RandomSchedule(std::uint64_t seed) : random_(seed, RandomPurpose::kTest, 0) {
    world_.Create(JobText("job-a", kRounds, kMore));
    world_.Create(JobText("job-b", kRounds, kMore));
  }

  void Run() {
    for (int step = 0; step < kSteps && !::testing::Test::HasFailure(); ++step) {
      Step();
      world_.Crank();
      world_.ExpectInvariants("job-a");
      world_.ExpectInvariants("job-b");
    }
    EXPECT_TRUE(world_.deaths.empty());
  }

  std::int64_t published() const {
    return world_.Latest("job-a").version.value + world_.Latest("job-b").version.value;
  }

 private:
  static constexpr const char* kRounds =
      "count = 30\ncohort = 3\nover_selection = 1.4\nmin_updates = 2\npool_min = 2\n"
      "time_limit = \"40s\"\nmax_failed = 3";
  static constexpr const char* kMore = "[evaluation]\nevery = 2\n[retention]\nlast = 2\n";

  std::string AnyDevice() {
    return std::string("device-") + static_cast<char>('a' + random_.Below(kDevices));
  }
  std::string AnyJob() { return random_.Below(2) == 0 ? "job-a" : "job-b"; }

  void Step() {
    switch (random_.Below(16)) {
      case 0:
        return Restart();
      case 1:
        return world_.Advance(absl::Seconds(static_cast<std::int64_t>(random_.Below(20))));
      case 2:
        return Vanish();
      case 3:
        return SendNonsense();
      case 4:
        return Order();
      case 5:
        return Renew();
      case 6:
        return FillDisk();
      case 7:
        return Evaluate();
      case 8:
        if (random_.Below(10) == 0) {
          (void)world_.revocations().Revoke(ClientId{AnyDevice()}).ok();
        }
        return;
      case 9:
      case 10:
      case 11:
        return CheckIn();
      default:
        return Upload();
    }
  }

  void CheckIn() {
    const std::string name = AnyDevice();
    wire::CheckInRequest request = MakeRequest(absl::Seconds(20));
    const auto work = work_.find(name);
    if (work != work_.end() && random_.Below(2) == 0) request.unsettled = {work->second.ref};
    calls_[name] = world_.CheckIn(name, Role::kClient, request);
  }

  void TakeWork() {
    for (auto& [name, call] : calls_) {
      if (call.work() != nullptr) work_[name] = *call.work();
    }
  }

  void Upload() {
    TakeWork();
    if (work_.empty()) return CheckIn();
    auto at = work_.begin();
    std::advance(at, random_.Below(work_.size()));
    (void)world_.Upload(at->first, at->second).ok();
  }

  void SendNonsense() {
    TakeWork();
    if (work_.empty()) return;
    testing::UpdateContents wrong;
    wrong.job = work_.begin()->second.ref.job;
    wrong.assignment = work_.begin()->second.ref.assignment;
    (void)world_.Send(work_.begin()->first, work_.begin()->second.ref, testing::MakeUpdate(wrong))
        .ok();
  }

  void Renew() {
    TakeWork();
    for (const auto& [name, work] : work_) (void)world_.Renew(name, work.ref).ok();
  }

  void Vanish() { calls_.erase(AnyDevice()); }

  void Evaluate() {
    const CheckInCall eva = world_.CheckIn("eva", Role::kEvaluator);
    if (eva.work() != nullptr) (void)world_.Report("eva", eva.work()->ref, random_.Uniform()).ok();
  }

  void Order() {
    const JobId job{AnyJob()};
    switch (random_.Below(8)) {
      case 0:
        (void)world_.coordinator().PauseJob(job, "a pause").ok();
        return;
      case 1:
        if (random_.Below(8) == 0) (void)world_.coordinator().StopJob(job, "a stop").ok();
        return;
      default:
        (void)world_.coordinator().ResumeJob(job).ok();
        return;
    }
  }

  void FillDisk() {
    world_.files.FailFrom(1 + static_cast<std::int64_t>(random_.Below(20)),
                          StatusCode::kResourceExhausted);
    Upload();
    world_.files.FailAt(0);
  }

  void Restart() {
    calls_.clear();
    world_.Kill();
    if (random_.Below(2) == 0) world_.files.CrashTearingTheLastWrite();
    world_.Start();
  }

  CoordinatorWorld world_;
  RandomStream random_;
  std::map<std::string, CheckInCall> calls_;  // end before the world
  std::map<std::string, wire::Assignment> work_;
};

TEST(CoordinatorRandomTest, NoScheduleBreaksAnInvariant) {
  std::int64_t published = 0;
  for (std::uint64_t seed = 1; seed <= 20 && !HasFailure(); ++seed) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed);
    RandomSchedule schedule(seed);
    schedule.Run();
    published += schedule.published();
  }
  EXPECT_GT(published, 20);  // or the schedules would prove little
}

}  // namespace
}  // namespace fed::server
