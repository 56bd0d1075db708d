// Broken streams, power cuts and full disks, at every place where one can happen.
#include <functional>

#include "common/base/bytes.h"
#include "server/ingest/intake.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"
#include "tests/unit/server/ingest/intake_world.h"

namespace fed::server {
namespace {

using ::fed::testing::EncodedUpdate;
using ::fed::testing::IsOk;
using ::fed::testing::MakeUpdate;
using ::fed::testing::SomeValues;
using ::fed::testing::StatusIs;
using ::fed::testing::UpdateContents;
using ::testing::IsEmpty;

constexpr AssignmentId kFirst{1};

UpdateContents Contents() {
  UpdateContents contents;
  contents.groups = {{"control", SomeValues(8'192, 1)}, {"delta", SomeValues(20'000, 2)}};
  return contents;
}

const EncodedUpdate& TheUpdate() {
  static const EncodedUpdate update = MakeUpdate(Contents());
  return update;
}

std::unique_ptr<IntakeWorld> NewWorld() {
  auto world = std::make_unique<IntakeWorld>();
  world->Assign("ann", kFirst, TermsOf(Contents()));
  return world;
}

// Invariant 1: a receipt implies its bytes; and an ack implies a receipt.
void ExpectSound(const IntakeWorld& world, bool acked) {
  const StatusOr<Receipt> receipt = world.ReceiptOf(kFirst);
  if (receipt.ok()) {
    EXPECT_EQ(world.SpooledBytes(*receipt), TheUpdate().bytes);
  } else {
    EXPECT_FALSE(acked);
  }
}

std::int64_t LastTileEndBefore(std::int64_t offset) {
  std::int64_t last = 0;
  for (const std::int64_t end : TheUpdate().tile_ends) {
    if (end <= offset) last = end;
  }
  return last;
}

std::vector<std::int64_t> InterestingOffsets() {
  const EncodedUpdate& update = TheUpdate();
  std::vector<std::int64_t> ends = {0, update.header_bytes,
                                    update.header_bytes + update.table_bytes};
  ends.insert(ends.end(), update.tile_ends.begin(), update.tile_ends.end());
  std::vector<std::int64_t> offsets;
  for (const std::int64_t end : ends) {
    for (const std::int64_t offset : {end - 1, end, end + 1}) {
      if (offset >= 0 && offset < update.total_bytes()) offsets.push_back(offset);
    }
  }
  return offsets;
}

enum class Between { kNothing, kRestart, kPowerCut };

void CutAndResume(std::int64_t cut, Between between) {
  auto world = NewWorld();
  double whole_norm = 0;
  {
    auto undisturbed = NewWorld();
    undisturbed->Upload("ann", TheUpdate());
    whole_norm = undisturbed->ReceiptOf(kFirst).value().norm;
  }
  Stream first = world->Begin("ann", BeginOf(TheUpdate()));
  first.Send(TheUpdate(), 0, cut);
  world->Run();
  first.upload().Cancel();
  world->Run();
  if (between == Between::kRestart) world->Restart();
  if (between == Between::kPowerCut) world->CutPower();

  Stream second = world->Begin("ann", BeginOf(TheUpdate()));
  EXPECT_EQ(second.offset(), between == Between::kPowerCut ? 0 : LastTileEndBefore(cut));
  second.Send(TheUpdate(), second.offset(), TheUpdate().total_bytes());
  world->Run();

  EXPECT_TRUE(second.has_receipt());
  ExpectSound(*world, true);
  EXPECT_EQ(world->ReceiptOf(kFirst).value().norm, whole_norm);
}

TEST(IntakeFaultTest, ResumesAtTheLastCheckedTileWhereverTheStreamBroke) {
  for (const std::int64_t cut : InterestingOffsets()) {
    SCOPED_TRACE(cut);
    CutAndResume(cut, Between::kNothing);
  }
}

TEST(IntakeFaultTest, ResumesAtTheLastGoodTileAfterARestart) {
  for (const std::int64_t cut : InterestingOffsets()) {
    SCOPED_TRACE(cut);
    CutAndResume(cut, Between::kRestart);
  }
}

TEST(IntakeFaultTest, BeginsAnewWhenThePowerCutTookThePartialUpdate) {
  for (const std::int64_t cut : InterestingOffsets()) {
    SCOPED_TRACE(cut);
    CutAndResume(cut, Between::kPowerCut);
  }
}

TEST(IntakeFaultTest, NamesOnlyWhatIsGoodOfAPartialUpdateWithAHole) {
  auto world = NewWorld();
  Stream stream = world->Begin("ann", BeginOf(TheUpdate()));
  stream.Send(TheUpdate(), 0, TheUpdate().tile_ends[2]);
  world->Run();
  const Spool::Key key{JobId{"job-a"}, kFirst, TheUpdate().digest};
  const std::string path = JoinPath("/state/spool", world->spool().NameOf(key));
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<File> file,
                       world->files.Open(path, FileSystem::Mode::kReadWrite));
  const std::vector<std::uint8_t> hole(100);
  ASSERT_OK(file->WriteAt(TheUpdate().tile_ends[0] + 50, hole));
  world->Restart();

  EXPECT_EQ(world->Begin("ann", BeginOf(TheUpdate())).offset(), TheUpdate().tile_ends[0]);
  ASSERT_OK(file->WriteAt(10, hole));
  world->Restart();
  const Stream again = world->Upload("ann", TheUpdate());
  EXPECT_EQ(again.offset(), 0);
  EXPECT_TRUE(again.has_receipt());
  ExpectSound(*world, true);
}

TEST(IntakeFaultTest, BeginsAnewWhenSomeoneTookTheFileAway) {
  auto world = NewWorld();
  Stream stream = world->Begin("ann", BeginOf(TheUpdate()));
  stream.Send(TheUpdate(), 0, TheUpdate().tile_ends[2]);
  world->Run();
  stream.upload().Cancel();
  world->Run();
  ASSERT_OK(world->spool().Remove(JobId{"job-a"}, kFirst));

  const Stream again = world->Upload("ann", TheUpdate());
  EXPECT_EQ(again.offset(), 0);
  EXPECT_TRUE(again.has_receipt());
  ExpectSound(*world, true);
}

TEST(IntakeFaultTest, NamesNothingThatTheFileDoesNotHoldAnyMore) {
  auto world = NewWorld();
  Stream stream = world->Begin("ann", BeginOf(TheUpdate()));
  stream.Send(TheUpdate(), 0, TheUpdate().tile_ends[2]);
  world->Run();
  const Spool::Key key{JobId{"job-a"}, kFirst, TheUpdate().digest};
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<File> file,
                       world->files.Open(JoinPath("/state/spool", world->spool().NameOf(key)),
                                         FileSystem::Mode::kReadWrite));
  ASSERT_OK(file->Truncate(TheUpdate().tile_ends[1] + 5));

  const Stream again = world->Upload("ann", TheUpdate());
  EXPECT_EQ(again.offset(), TheUpdate().tile_ends[1]);
  EXPECT_TRUE(again.has_receipt());
  ExpectSound(*world, true);
}

// Runs an upload that fails at its n-th writing call, then `disturb`, then uploads again; for each
// n until none is left.
void AtEachCall(const std::function<void(IntakeWorld&, std::int64_t)>& fail,
                const std::function<void(IntakeWorld&)>& disturb) {
  std::int64_t calls = 0;
  {
    auto world = NewWorld();
    calls = -world->files.writing_calls();
    world->Upload("ann", TheUpdate());
    calls += world->files.writing_calls();
  }
  ASSERT_GT(calls, 5);
  for (std::int64_t n = 1; n <= calls; ++n) {
    SCOPED_TRACE(n);
    auto world = NewWorld();
    fail(*world, n);
    const bool acked = world->Upload("ann", TheUpdate()).has_receipt();
    EXPECT_FALSE(acked) << "the call was needed";
    disturb(*world);
    ExpectSound(*world, acked);
    EXPECT_THAT(world->gate.rejected(), IsEmpty());

    EXPECT_TRUE(world->Upload("ann", TheUpdate()).has_receipt());
    world->CutPower();
    ExpectSound(*world, true);
  }
}

TEST(IntakeFaultTest, APowerCutAtEachCallLosesNothingThatWasAcknowledged) {
  AtEachCall([](IntakeWorld& world, std::int64_t n) { world.files.FailFrom(n); },
             [](IntakeWorld& world) { world.CutPower(); });
}

TEST(IntakeFaultTest, APowerCutThatTearsTheLastWriteLosesNothingThatWasAcknowledged) {
  AtEachCall([](IntakeWorld& world, std::int64_t n) { world.files.FailFrom(n); },
             [](IntakeWorld& world) { world.TearPower(); });
}

TEST(IntakeFaultTest, AFailingCallIsRepeatedByTheNextStream) {
  AtEachCall([](IntakeWorld& world, std::int64_t n) { world.files.FailAt(n); },
             [](IntakeWorld& world) { world.files.FailAt(0); });
}

TEST(IntakeFaultTest, AFullDiskAtEachCallTellsTheDeviceToComeBack) {
  AtEachCall(
      [](IntakeWorld& world, std::int64_t n) {
        world.files.FailFrom(n, StatusCode::kResourceExhausted);
        const Stream stream = world.Upload("ann", TheUpdate());
        EXPECT_NE(stream.come_back(), nullptr);
        EXPECT_OK(stream.error());
      },
      [](IntakeWorld& world) { world.files.FailAt(0); });
}

TEST(IntakeFaultTest, ADiskThatFillsUpKeepsWhatWasChecked) {
  auto world = NewWorld();
  world->files.SetCapacity(TheUpdate().tile_ends[1] + 10);
  Stream stream = world->Begin("ann", BeginOf(TheUpdate()));
  stream.Send(TheUpdate(), 0, TheUpdate().total_bytes(), 16'384);
  world->Run();
  ASSERT_NE(stream.come_back(), nullptr);
  EXPECT_EQ(stream.come_back()->reason, wire::ComeBack::Reason::kBusy);

  world->files.SetCapacity(1 << 30);
  const Stream again = world->Upload("ann", TheUpdate());
  EXPECT_EQ(again.offset(), TheUpdate().tile_ends[0]);
  EXPECT_TRUE(again.has_receipt());
}

// The page cache may say what the disk does not have: nothing of the file is believed any more.
TEST(IntakeFaultTest, BeginsAnewAfterASyncThatFailedEvenIfTheFileCouldNotBeRemoved) {
  std::int64_t calls_before_sync = 0;
  {
    auto world = NewWorld();
    Stream stream = world->Begin("ann", BeginOf(TheUpdate()));
    stream.Send(TheUpdate(), 0, TheUpdate().total_bytes() - 1);
    world->Run();
    calls_before_sync = -world->files.writing_calls();
    stream.Send(TheUpdate(), TheUpdate().total_bytes() - 1, TheUpdate().total_bytes());
    world->Run();
    calls_before_sync += world->files.writing_calls() - 3;  // file, folder, root
  }
  auto world = NewWorld();
  Stream stream = world->Begin("ann", BeginOf(TheUpdate()));
  stream.Send(TheUpdate(), 0, TheUpdate().total_bytes() - 1);
  world->Run();
  world->files.FailFrom(calls_before_sync + 1);
  stream.Send(TheUpdate(), TheUpdate().total_bytes() - 1, TheUpdate().total_bytes());
  world->Run();
  EXPECT_THAT(stream.error(), StatusIs(StatusCode::kUnavailable));
  world->files.FailAt(0);

  const Stream again = world->Upload("ann", TheUpdate());
  EXPECT_EQ(again.offset(), 0);
  EXPECT_TRUE(again.has_receipt());
  world->CutPower();
  ExpectSound(*world, true);
}

}  // namespace
}  // namespace fed::server
