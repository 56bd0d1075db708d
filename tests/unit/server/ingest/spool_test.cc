// Names, files and what survives.
#include "server/ingest/spool.h"

#include "common/base/bytes.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::FakeFiles;
using ::fed::testing::IsOk;
using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Held = Spool::Held;

const JobId kJob{"job-a"};

Spool::Key KeyOf(std::int64_t assignment, absl::string_view contents, JobId job = kJob) {
  return {std::move(job), AssignmentId{assignment}, Sha256(contents)};
}

Receipt ReceiptOf(const Spool& spool, const Spool::Key& key) {
  Receipt receipt;
  receipt.spool_file = spool.NameOf(key);
  return receipt;
}

class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    EXPECT_OK(files_.MakeFolder("/state"));
    EXPECT_OK(files_.SyncFolder("/"));
    Open();
  }

  void Open() {
    StatusOr<std::unique_ptr<Spool>> spool = Spool::Open(files_, "/state/spool");
    ASSERT_OK(spool);
    spool_ = *std::move(spool);
  }

  void Write(const Spool::Key& key, absl::string_view text) {
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<File> file, spool_->OpenForWriting(key));
    ASSERT_OK(file->WriteAt(0, AsBytes(text)));
    ASSERT_OK(spool_->Sync(key, *file));
  }

  StatusOr<std::int64_t> SizeOf(const Spool::Key& key) const {
    FED_ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                         spool_->OpenForReading(ReceiptOf(*spool_, key)));
    return file->size();
  }

  FakeFiles files_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolTest, NamesAFileByJobAssignmentAndDigest) {
  EXPECT_EQ(spool_->NameOf(KeyOf(12, "abc")),
            "job-a/12-ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_F(SpoolTest, KeepsContentsForAResume) {
  Write(KeyOf(1, "x"), "12345");
  ASSERT_OK_AND_ASSIGN(const auto file, spool_->OpenForWriting(KeyOf(1, "x")));

  EXPECT_THAT(file->size(), IsOkAndHolds(5));
}

TEST_F(SpoolTest, RemovesAnotherDigestOfTheSameAssignmentAndNoOther) {
  Write(KeyOf(1, "old"), "1");
  Write(KeyOf(11, "old"), "1");
  Write(KeyOf(1, "new"), "22");

  EXPECT_THAT(SizeOf(KeyOf(1, "old")), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(SizeOf(KeyOf(1, "new")), IsOkAndHolds(2));
  EXPECT_THAT(SizeOf(KeyOf(11, "old")), IsOkAndHolds(1));
}

TEST_F(SpoolTest, WhatIsSyncedSurvivesAPowerCutWithItsNames) {
  Write(KeyOf(1, "x"), "12345");
  ASSERT_OK_AND_ASSIGN(const auto file, spool_->OpenForWriting(KeyOf(2, "y")));
  ASSERT_OK(file->WriteAt(0, AsBytes("unsynced")));
  files_.Crash();
  Open();

  EXPECT_THAT(SizeOf(KeyOf(1, "x")), IsOkAndHolds(5));
  EXPECT_THAT(spool_->List(), IsOkAndHolds(ElementsAre(Held{kJob, AssignmentId{1}})));
}

TEST_F(SpoolTest, ListsWhatItHoldsAfterAReopenAndLeavesForeignFilesAlone) {
  Write(KeyOf(3, "x"), "1");
  Write(KeyOf(4, "x", JobId{"job-b"}), "1");
  ASSERT_OK(files_.Open("/state/spool/job-a/notes.txt", FileSystem::Mode::kCreate));
  ASSERT_OK(files_.Open("/state/spool/job-a/5-short", FileSystem::Mode::kCreate));
  Open();

  EXPECT_THAT(spool_->List(), IsOkAndHolds(ElementsAre(Held{kJob, AssignmentId{3}},
                                                       Held{JobId{"job-b"}, AssignmentId{4}})));
}

TEST_F(SpoolTest, RemovesAnAssignmentAndThenHasNothingMoreToRemove) {
  Write(KeyOf(1, "x"), "1");
  EXPECT_OK(spool_->Remove(kJob, AssignmentId{1}));
  EXPECT_OK(spool_->Remove(kJob, AssignmentId{1}));

  EXPECT_THAT(SizeOf(KeyOf(1, "x")), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(spool_->List().value(), IsEmpty());
}

TEST_F(SpoolTest, RemembersWhatItCouldNotRemove) {
  Write(KeyOf(1, "x"), "1");
  files_.FailAt(1);

  EXPECT_THAT(spool_->Remove(kJob, AssignmentId{1}), StatusIs(StatusCode::kUnavailable));
  EXPECT_OK(spool_->Remove(kJob, AssignmentId{1}));
  EXPECT_THAT(SizeOf(KeyOf(1, "x")), StatusIs(StatusCode::kNotFound));
}

TEST_F(SpoolTest, RemovesAWholeJobWithItsFolder) {
  Write(KeyOf(1, "x"), "1");
  Write(KeyOf(2, "y"), "1");
  Write(KeyOf(1, "z", JobId{"job-b"}), "1");
  EXPECT_OK(spool_->RemoveJob(kJob));
  EXPECT_OK(spool_->RemoveJob(kJob));

  EXPECT_THAT(files_.List("/state/spool"), IsOkAndHolds(ElementsAre("job-b")));
}

}  // namespace
}  // namespace fed::server
