// Many devices and two jobs over real threads: for the thread sanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/random.h"
#include "common/base/thread_pool.h"
#include "server/coordinate/coordinator.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/unit/server/coordinate/coordinator_world.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOk;

constexpr int kDevices = 8;
constexpr std::int64_t kRounds = 6;

// Where the executor's answers meet a device's thread.
class Mailbox {
 public:
  void Put(StatusOr<wire::CheckInReply> reply) {
    {
      MutexLock lock(mu_);
      reply_ = std::move(reply);
    }
    changed_.notify_all();
  }
  StatusOr<wire::CheckInReply> Take() {
    MutexLock lock(mu_);
    while (!reply_) changed_.wait(mu_);
    return *std::exchange(reply_, std::nullopt);
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::optional<StatusOr<wire::CheckInReply>> reply_ FED_GUARDED_BY(mu_);
};

class StressTest : public ::testing::Test {
 protected:
  void SetUp() override {
    blobs_ = *BlobFolder::Open(files_, "/state/blobs");
    spool_ = *Spool::Open(files_, "/state/spool");
    revocations_ = *Revocations::Load(store_);
    executor_ = std::make_unique<ThreadPool>("executor", 4, Clock::Real());
    fold_ = std::make_unique<ThreadPool>("fold", 2, Clock::Real());
    auto started = Coordinator::Start({store_, *blobs_, *spool_, *revocations_, *executor_, *fold_,
                                       Clock::Real(), Log::Null(), [](const Status&) {}},
                                      {});
    ASSERT_THAT(started, IsOk());
    coordinator_ = *std::move(started);
    for (const char* id : {"job-a", "job-b"}) {
      JobDraft draft;
      draft.spec = JobText(id, "count = 6\ncohort = 3\nmin_updates = 1\npool_min = 3");
      draft.plan = kTinyPlan;
      draft.start = true;
      ASSERT_THAT(coordinator_->CreateJob(std::move(draft)), IsOk());
    }
  }

  // A device that takes part until both jobs have ended.
  void RunDevice(int number) {
    const Caller caller = CoordinatorWorld::CallerOf("device-" + std::to_string(number));
    RandomStream random(7, RandomPurpose::kTest, static_cast<std::uint64_t>(number));
    while (true) {
      auto mailbox = std::make_shared<Mailbox>();
      wire::CheckInRequest request = MakeRequest(absl::Milliseconds(20));
      request.jobs = {JobId{"job-a"}, JobId{"job-b"}};
      auto poll = coordinator_->CheckIn(
          caller, request,
          [mailbox](StatusOr<wire::CheckInReply> reply) { mailbox->Put(std::move(reply)); });
      if (random.Below(8) == 0) continue;  // drops the poll
      const StatusOr<wire::CheckInReply> reply = mailbox->Take();
      ASSERT_THAT(reply, IsOk());
      if (const auto* come_back = std::get_if<wire::ComeBack>(&reply->work)) {
        if (come_back->reason == wire::ComeBack::Reason::kJobsEnded) return;
      } else {
        Work(caller, std::get<wire::Assignment>(reply->work));
      }
    }
  }

  // As the intake does once the bytes are on disk.
  void Work(const Caller& caller, const wire::Assignment& work) {
    wire::RenewRequest renew;
    renew.ref = work.ref;
    coordinator_->Renew(caller, renew, [](StatusOr<wire::RenewReply>) {});
    coordinator_->CountDownload(work.ref.job, 10);
    const StatusOr<UpdateTerms> terms = coordinator_->Expects(caller, work.ref);
    if (!terms.ok()) return;
    testing::UpdateContents contents;
    contents.job = work.ref.job;
    contents.assignment = work.ref.assignment;
    contents.base = work.base;
    contents.layout = terms->layout;
    contents.groups = {{"delta", testing::SomeValues(15, 3)}};
    const testing::EncodedUpdate update = testing::MakeUpdate(contents);
    const Spool::Key key{work.ref.job, work.ref.assignment, update.digest};
    const auto file = spool_->OpenForWriting(key);
    ASSERT_THAT(file, IsOk());
    ASSERT_OK((*file)->WriteAt(0, AsBytes(update.bytes)));
    ASSERT_OK(spool_->Sync(key, **file));
    Receipt receipt;
    receipt.job = work.ref.job;
    receipt.assignment = work.ref.assignment;
    receipt.client = caller.id;
    receipt.base = work.base;
    receipt.joins = terms->joins;
    receipt.digest = update.digest.ToHex();
    receipt.spool_file = spool_->NameOf(key);
    receipt.bytes = update.total_bytes();
    receipt.codec = "fp32";
    receipt.weight = 10;
    receipt.scalars = contents.scalars;
    if (store_.Write([&](StoreEdit& edit) { return edit.AddReceipt(receipt); }).ok()) {
      coordinator_->Accepted(receipt);
    }
  }

  testing::FakeFiles files_;
  MemoryStore store_;
  std::unique_ptr<BlobFolder> blobs_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Revocations> revocations_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<ThreadPool> executor_, fold_;  // end before what they use
};

TEST_F(StressTest, ManyDevicesCarryTwoJobsToTheirEnd) {
  std::vector<std::thread> devices;
  for (int i = 0; i < kDevices; ++i) devices.emplace_back([this, i] { RunDevice(i); });
  for (int i = 0; i < 50; ++i) {  // an operator looks on
    EXPECT_THAT(coordinator_->Live(JobId{"job-a"}), IsOk());
    (void)coordinator_->LiveParticipants(JobId{"job-b"}, RoundId{1});
    (void)coordinator_->IsWaiting(ClientId{"device-1"});
  }
  for (std::thread& device : devices) device.join();

  for (const char* id : {"job-a", "job-b"}) {
    ASSERT_OK(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(const JobRecord job, view.Job(JobId{id}));
      EXPECT_EQ(job.state, JobState::kCompleted);
      FED_ASSIGN_OR_RETURN(const ModelRecord latest, view.LatestModel(JobId{id}));
      EXPECT_EQ(latest.version.value, kRounds);
      FED_ASSIGN_OR_RETURN(const auto open, view.OpenReceipts());
      EXPECT_TRUE(open.empty());
      return Status();
    }));
  }
}

}  // namespace
}  // namespace fed::server
