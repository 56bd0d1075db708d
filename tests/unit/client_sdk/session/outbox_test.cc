// The outbox against restarts, power cuts and failing disks.
#include "client_sdk/session/outbox.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/bytes.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;
using End = wire::ReceiptEnd::End;
using State = Outbox::State;

const wire::AssignmentRef kFirst{JobId{"keyboard"}, AssignmentId{7}};
const wire::AssignmentRef kSecond{JobId{"keyboard"}, AssignmentId{8}};

Parameters Model(float value) {
  Parameters parameters;
  EXPECT_OK(parameters.Add({"a", Dtype::kF32, {2}}));
  parameters.values(0)[0] = value;
  parameters.values(0)[1] = value;
  return parameters;
}

wire::ReceiptEnd EndOf(const wire::AssignmentRef& ref, End end) {
  return {ref, end, ModelVersion{1}, "because"};
}

class OutboxTest : public ::testing::Test {
 protected:
  OutboxTest() { EXPECT_OK(Open()); }

  Status Open(Durability durability = Durability::kFull) {
    StatusOr<std::unique_ptr<Outbox>> outbox =
        Outbox::Open(files_, log_, {"/state/outbox", "/state/local", durability});
    if (!outbox.ok()) return outbox.status();
    outbox_ = *std::move(outbox);
    return {};
  }

  Status Store(const wire::AssignmentRef& ref, float value = 1) {
    UpdateSpec spec;
    spec.job = ref.job;
    spec.assignment = ref.assignment;
    spec.codec = "fp32";
    spec.groups = {"delta"};
    const Parameters local = Model(value);
    TrainResult trained;
    trained.parameters = Model(value);
    return outbox_->Store(
        ref, [&](File& file) { return WriteUpdate(spec, Model(0), trained, file, Log::Null()); },
        &local);
  }

  float LocalValue() {
    const StatusOr<Parameters> local = outbox_->Local(JobId{"keyboard"});
    EXPECT_OK(local);
    return local->size() == 0 ? 0 : local->values(0)[0];
  }

  std::vector<std::string> Names() { return *files_.List("/state/outbox"); }

  testing::FakeFiles files_;
  std::vector<std::string> lines_;
  Log log_{[this](LogLevel, absl::string_view line) { lines_.emplace_back(line); }};
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, AnUpdateIsOnDiskOnceStored) {
  ASSERT_OK(Store(kFirst));
  const Digest digest = outbox_->OpenUnsent(kFirst)->begin.digest;

  files_.Crash();
  ASSERT_OK(Open());

  EXPECT_THAT(outbox_->entries(), UnorderedElementsAre(Pair(kFirst, State::kUnsent)));
  const auto unsent = outbox_->OpenUnsent(kFirst);
  ASSERT_THAT(unsent, IsOk());
  EXPECT_EQ(unsent->begin.digest, digest);
  EXPECT_EQ(unsent->begin.ref, kFirst);
  EXPECT_EQ(*unsent->file->size(), unsent->begin.total_bytes);
}

TEST_F(OutboxTest, AReceiptIsOnDiskOnceAcknowledged) {
  ASSERT_OK(Store(kFirst));
  ASSERT_OK(outbox_->Acknowledge(kFirst));

  files_.Crash();
  ASSERT_OK(Open());

  EXPECT_THAT(outbox_->entries(), UnorderedElementsAre(Pair(kFirst, State::kUnsettled)));
  EXPECT_THAT(outbox_->OpenUnsent(kFirst), StatusIs(StatusCode::kNotFound));
  EXPECT_EQ(LocalValue(), 0);
}

TEST_F(OutboxTest, LocalTensorsBecomeCurrentWhenTheUpdateCounts) {
  ASSERT_OK(Store(kFirst, 5));
  ASSERT_OK(outbox_->Acknowledge(kFirst));
  EXPECT_FALSE(outbox_->KeepsLocal());

  ASSERT_OK(outbox_->Settle(EndOf(kFirst, End::kCounted)));

  EXPECT_EQ(LocalValue(), 5);
  EXPECT_TRUE(outbox_->KeepsLocal());
  EXPECT_THAT(outbox_->entries(), IsEmpty());
  EXPECT_THAT(Names(), IsEmpty());
  files_.Crash();
  ASSERT_OK(Open());
  EXPECT_EQ(LocalValue(), 5);
}

TEST_F(OutboxTest, LocalTensorsGoWithADiscardedUpdate) {
  ASSERT_OK(Store(kFirst, 5));
  ASSERT_OK(outbox_->Acknowledge(kFirst));
  ASSERT_OK(outbox_->Settle(EndOf(kFirst, End::kDiscarded)));

  EXPECT_EQ(LocalValue(), 0);
  EXPECT_THAT(outbox_->entries(), IsEmpty());
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(OutboxTest, AnEndThatComesBeforeTheAckSettlesToo) {
  ASSERT_OK(Store(kFirst, 5));
  ASSERT_OK(outbox_->Settle(EndOf(kFirst, End::kCounted)));
  EXPECT_THAT(outbox_->entries(), IsEmpty());
  EXPECT_EQ(LocalValue(), 5);
}

TEST_F(OutboxTest, AnUnknownEndDropsReceiptsButNotWhatIsUnsent) {
  ASSERT_OK(Store(kFirst));
  ASSERT_OK(Store(kSecond));
  ASSERT_OK(outbox_->Acknowledge(kFirst));

  ASSERT_OK(outbox_->Settle(EndOf(kFirst, End::kUnknown)));
  ASSERT_OK(outbox_->Settle(EndOf(kSecond, End::kUnknown)));

  EXPECT_THAT(outbox_->entries(), UnorderedElementsAre(Pair(kSecond, State::kUnsent)));
}

TEST_F(OutboxTest, EveryStepMayBeRepeated) {
  ASSERT_OK(Store(kFirst));
  EXPECT_OK(outbox_->Acknowledge(kFirst));
  EXPECT_OK(outbox_->Acknowledge(kFirst));
  EXPECT_OK(outbox_->Settle(EndOf(kFirst, End::kCounted)));
  EXPECT_OK(outbox_->Settle(EndOf(kFirst, End::kCounted)));
  EXPECT_OK(outbox_->Acknowledge(kFirst));
  EXPECT_OK(outbox_->Drop(kFirst));
}

TEST_F(OutboxTest, ASecondUpdateOfAnAssignmentIsRefused) {
  ASSERT_OK(Store(kFirst));
  EXPECT_THAT(Store(kFirst), StatusIs(StatusCode::kAlreadyExists));
}

TEST_F(OutboxTest, ADamagedUpdateIsDroppedWithALine) {
  ASSERT_OK(Store(kFirst));
  const auto file = *files_.Open("/state/outbox/keyboard.7.update", FileSystem::Mode::kReadWrite);
  const std::uint8_t byte = 0x55;
  ASSERT_OK(file->WriteAt(*file->size() - 1, {&byte, 1}));

  ASSERT_OK(Open());

  EXPECT_THAT(outbox_->entries(), IsEmpty());
  EXPECT_THAT(Names(), IsEmpty());
  ASSERT_EQ(lines_.size(), 1U);
  EXPECT_THAT(lines_[0], ::testing::HasSubstr("outbox.damaged job=keyboard assignment=7"));
}

TEST_F(OutboxTest, NamesThatAreNotOursAreLeftAlone) {
  ASSERT_OK(WriteFileDurably(files_, "/state/outbox/.update", "x"));
  ASSERT_OK(WriteFileDurably(files_, "/state/outbox/notes", "x"));
  ASSERT_OK(Open());
  EXPECT_THAT(outbox_->entries(), IsEmpty());
}

TEST_F(OutboxTest, WithNormalDurabilityNothingOfAnUpdateIsSynced) {
  ASSERT_OK(Open(Durability::kNormal));
  ASSERT_OK(Store(kFirst));
  ASSERT_OK(outbox_->Acknowledge(kFirst));
  outbox_ = nullptr;  // the process dies
  ASSERT_OK(Open(Durability::kNormal));
  EXPECT_THAT(outbox_->entries(), UnorderedElementsAre(Pair(kFirst, State::kUnsettled)));

  files_.Crash();  // the power goes
  ASSERT_OK(Open(Durability::kNormal));
  EXPECT_THAT(outbox_->entries(), IsEmpty());
}

// Store, acknowledge, settle; the n-th writing call fails, then the power goes. What was said to be
// done is there; nothing is half there.
TEST_F(OutboxTest, APowerCutAtAnyWriteLeavesAStateThatWasTold) {
  for (std::int64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    files_.FailFrom(n);
    const bool stored = Store(kFirst, 5).ok();
    const bool acknowledged = stored && outbox_->Acknowledge(kFirst).ok();
    const bool settled = acknowledged && outbox_->Settle(EndOf(kFirst, End::kCounted)).ok();
    files_.Crash();
    ASSERT_OK(Open());

    const auto entries = outbox_->entries();
    if (acknowledged && !entries.empty()) {
      EXPECT_EQ(entries.begin()->second, State::kUnsettled);
    }
    if (stored && !acknowledged) {
      EXPECT_EQ(entries.size(), 1U);
    }
    if (stored && entries.empty()) {
      EXPECT_EQ(LocalValue(), 5);  // it had become current first
    }
    // Whatever it is, it ends well.
    ASSERT_OK(outbox_->Settle(EndOf(kFirst, End::kCounted)));
    if (stored) {
      EXPECT_EQ(LocalValue(), 5);
    }
    EXPECT_THAT(Names(), IsEmpty());

    static_cast<void>(files_.Remove("/state/local/keyboard.safetensors"));
    ASSERT_OK(files_.SyncFolder("/state/local"));
    if (settled) break;
  }
}

TEST_F(OutboxTest, AFailingDiskLeavesNothingBehindOfAnUpdate) {
  for (std::int64_t n = 1;; ++n) {
    SCOPED_TRACE(n);
    files_.FailAt(n, StatusCode::kResourceExhausted);
    const Status stored = Store(kFirst);
    files_.FailAt(0);
    if (stored.ok()) break;
    EXPECT_THAT(stored, StatusIs(StatusCode::kResourceExhausted));
    EXPECT_THAT(outbox_->entries(), IsEmpty());
    EXPECT_THAT(Names(), IsEmpty());
  }
}

}  // namespace
}  // namespace fed::client
