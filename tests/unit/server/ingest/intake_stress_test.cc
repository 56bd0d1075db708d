// Many devices at once over real threads, their streams cut and resumed by a seed.
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/thread_pool.h"
#include "server/ingest/intake.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"
#include "tests/unit/server/ingest/intake_world.h"

namespace fed::server {
namespace {

using ::fed::testing::EncodedUpdate;
using ::fed::testing::IsOk;
using ::fed::testing::MakeUpdate;
using ::fed::testing::SomeValues;
using ::fed::testing::UpdateContents;

constexpr int kDevices = 32;
constexpr std::uint64_t kSeed = 20'250'601;

UpdateContents ContentsOf(int device) {
  UpdateContents contents;
  contents.assignment = {device + 1};
  contents.groups = {{"delta", SomeValues(20'000, static_cast<std::uint64_t>(device))}};
  return contents;
}

std::string NameOf(int device) { return "device-" + std::to_string(device); }

// Where the executor's replies meet the device's thread.
class Mailbox {
 public:
  void Put(StatusOr<wire::UploadReply> reply) {
    {
      MutexLock lock(mu_);
      replies_.push_back(std::move(reply));
    }
    changed_.notify_all();
  }

  StatusOr<wire::UploadReply> Take() {
    MutexLock lock(mu_);
    while (replies_.empty()) changed_.wait(mu_);
    StatusOr<wire::UploadReply> reply = std::move(replies_.front());
    replies_.erase(replies_.begin());
    return reply;
  }

 private:
  Mutex mu_;
  CondVar changed_;
  std::vector<StatusOr<wire::UploadReply>> replies_ FED_GUARDED_BY(mu_);
};

// A device that loses its stream now and then: cancels, or leaves it open for the next to fence.
class Device {
 public:
  Device(Intake& intake, int number)
      : intake_(intake),
        client_{ClientId{NameOf(number)}},
        assignment_{number + 1},
        update_(MakeUpdate(ContentsOf(number))),
        random_(kSeed, RandomPurpose::kFault, static_cast<std::uint64_t>(number)) {}

  void Run() {
    while (!Try()) {
    }
    for (const std::shared_ptr<Upload>& left : left_open_) left->Cancel();
  }

  int streams() const { return streams_; }

 private:
  bool Try() {
    ++streams_;
    auto mailbox = std::make_shared<Mailbox>();
    std::shared_ptr<Upload> upload = intake_.Begin(
        client_, BeginOf(update_, assignment_),
        [mailbox](StatusOr<wire::UploadReply> reply) { mailbox->Put(std::move(reply)); });
    const StatusOr<wire::UploadReply> first = mailbox->Take();
    if (!first.ok()) return false;
    if (std::holds_alternative<wire::UploadReceipt>(first.value())) return true;
    const auto* proceed = std::get_if<wire::UploadProceed>(&first.value());
    if (proceed == nullptr) return false;  // all places are taken
    return Send(upload, *mailbox, proceed->offset);
  }

  bool Send(const std::shared_ptr<Upload>& upload, Mailbox& mailbox, std::int64_t at) {
    constexpr std::int64_t kPiece = 10'000;
    while (at < update_.total_bytes()) {
      if (const std::uint64_t fate = random_.Below(8); fate < 2) {
        if (fate == 0) upload->Cancel();
        if (fate == 1) left_open_.push_back(upload);
        return false;
      }
      const std::int64_t count = std::min(kPiece, update_.total_bytes() - at);
      upload->Append(
          at, update_.bytes.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(count)),
          [] {});
      at += count;
    }
    upload->Finish();
    const StatusOr<wire::UploadReply> last = mailbox.Take();
    return last.ok() && std::holds_alternative<wire::UploadReceipt>(last.value());
  }

  Intake& intake_;
  const Caller client_;
  const AssignmentId assignment_;
  const EncodedUpdate update_;
  RandomStream random_;
  std::vector<std::shared_ptr<Upload>> left_open_;
  int streams_ = 0;
};

void FillStore(MemoryStore& store, FakeGate& gate) {
  ASSERT_OK(store.Write([](StoreEdit& edit) {
    JobRecord job;
    job.id = JobId{"job-a"};
    FED_RETURN_IF_ERROR(edit.PutJob(job));
    RoundRecord round;
    round.job = job.id;
    round.round = RoundId{1};
    return edit.PutRound(round);
  }));
  for (int device = 0; device < kDevices; ++device) {
    ASSERT_OK(store.Write([&](StoreEdit& edit) {
      ClientRecord client;
      client.id = ClientId{NameOf(device)};
      FED_RETURN_IF_ERROR(edit.PutClient(client));
      AssignmentRecord row;
      row.job = JobId{"job-a"};
      row.assignment = {device + 1};
      row.round = RoundId{1};
      row.client = client.id;
      return edit.PutAssignment(row);
    }));
    gate.Expect({ClientId{NameOf(device)}}, {device + 1}, TermsOf(ContentsOf(device)));
  }
}

TEST(IntakeStressTest, EveryReceiptsBytesAreTheDevicesWhateverTheThreadsDo) {
  SCOPED_TRACE(kSeed);
  testing::FakeFiles files;
  MemoryStore store;
  FakeGate gate;
  FillStore(store, gate);
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Spool> spool, Spool::Open(files, "/spool"));
  int streams = 0;
  {
    auto pool = std::make_unique<ThreadPool>("ingest", 4, Clock::Real());
    Intake intake({store, *spool, gate, *pool, Clock::Real(), Log::Null()},
                  {.max_uploads = kDevices});
    std::vector<std::unique_ptr<Device>> devices;
    for (int i = 0; i < kDevices; ++i) devices.push_back(std::make_unique<Device>(intake, i));
    std::vector<std::thread> threads;
    for (const auto& device : devices) threads.emplace_back([&] { device->Run(); });
    for (std::thread& thread : threads) thread.join();
    pool.reset();  // before the intake, as its life demands
    for (const auto& device : devices) streams += device->streams();
  }
  EXPECT_GT(streams, kDevices) << "no stream was cut: the seed tests nothing";
  EXPECT_EQ(gate.accepted().size(), static_cast<std::size_t>(kDevices));
  EXPECT_TRUE(gate.rejected().empty());

  files.Crash();
  for (const Receipt& receipt : gate.accepted()) {
    const EncodedUpdate update =
        MakeUpdate(ContentsOf(static_cast<int>(receipt.assignment.value) - 1));
    ASSERT_OK_AND_ASSIGN(const auto file, spool->OpenForReading(receipt));
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(receipt.bytes));
    ASSERT_OK(file->ReadAt(0, absl::MakeSpan(bytes)));
    EXPECT_EQ(AsText(bytes), update.bytes) << "assignment " << receipt.assignment.value;
  }
}

}  // namespace
}  // namespace fed::server
