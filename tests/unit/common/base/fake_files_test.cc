// What the fake file system forgets, tears and refuses.
#include "tests/testing/fake_files.h"

#include <gtest/gtest.h>

#include "common/base/bytes.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Mode = FileSystem::Mode;

class FakeFilesTest : public ::testing::Test {
 protected:
  FakeFilesTest() {
    EXPECT_OK(files_.MakeFolder("/s"));
    EXPECT_OK(files_.SyncFolder("/"));
  }

  std::unique_ptr<File> Open(const std::string& path) {
    auto file = files_.Open(path, Mode::kCreate);
    EXPECT_OK(file.status());
    return *std::move(file);
  }
  StatusOr<std::string> Read(const std::string& path) { return ReadFile(files_, path, 1'000); }

  FakeFiles files_;
};

TEST_F(FakeFilesTest, ForgetsBytesThatWereNotSynced) {
  const auto file = Open("/s/a");
  ASSERT_OK(file->WriteAt(0, AsBytes("old")));
  ASSERT_OK(file->Sync());
  ASSERT_OK(files_.SyncFolder("/s"));
  ASSERT_OK(file->WriteAt(0, AsBytes("new and longer")));

  files_.Crash();

  EXPECT_THAT(Read("/s/a"), IsOkAndHolds(std::string("old")));
}

TEST_F(FakeFilesTest, ForgetsNamesWithoutASyncOfTheirFolder) {
  ASSERT_OK(Open("/s/a")->Sync());
  ASSERT_OK(files_.MakeFolder("/s/sub"));

  files_.Crash();

  EXPECT_THAT(files_.List("/s"), IsOkAndHolds(IsEmpty()));
}

TEST_F(FakeFilesTest, ForgetsARenameAndARemoval) {
  ASSERT_OK(WriteFileDurably(files_, "/s/a", "a"));
  ASSERT_OK(WriteFileDurably(files_, "/s/b", "b"));
  ASSERT_OK(files_.Rename("/s/a", "/s/c"));
  ASSERT_OK(files_.Remove("/s/b"));

  files_.Crash();

  EXPECT_THAT(files_.List("/s"), IsOkAndHolds(ElementsAre("a", "b")));
  EXPECT_THAT(Read("/s/b"), IsOkAndHolds(std::string("b")));
}

TEST_F(FakeFilesTest, ForgetsAllBelowAFolderWhoseNameIsNotSynced) {
  ASSERT_OK(files_.MakeFolder("/s/x/y"));
  ASSERT_OK(WriteFileDurably(files_, "/s/x/y/a", "a"));
  ASSERT_OK(files_.SyncFolder("/s/x"));

  files_.Crash();

  EXPECT_THAT(files_.Exists("/s/x/y/a"), IsOkAndHolds(false));
  EXPECT_THAT(files_.Exists("/s/x"), IsOkAndHolds(false));
}

TEST_F(FakeFilesTest, KeepsWhatWasWrittenDurably) {
  ASSERT_OK(WriteFileDurably(files_, "/s/a", "kept"));
  files_.Crash();
  files_.Crash();
  EXPECT_THAT(Read("/s/a"), IsOkAndHolds(std::string("kept")));
}

TEST_F(FakeFilesTest, EndsTheLifeOfOpenFiles) {
  const auto file = Open("/s/a");
  files_.Crash();
  EXPECT_THAT(file->Sync(),
              StatusIs(StatusCode::kUnavailable, HasSubstr("opened before the power cut")));
}

TEST_F(FakeFilesTest, TearsTheLastWrite) {
  const auto file = Open("/s/a");
  ASSERT_OK(files_.SyncFolder("/s"));
  ASSERT_OK(file->WriteAt(0, AsBytes("xx")));
  ASSERT_OK(file->WriteAt(2, AsBytes("abcd")));

  files_.CrashTearingTheLastWrite();

  EXPECT_THAT(Read("/s/a"), IsOkAndHolds(std::string("\0\0ab", 4)));
}

TEST_F(FakeFilesTest, FailsTheCallThatIsAskedForAndNoOther) {
  const auto file = Open("/s/a");

  files_.FailAt(2, StatusCode::kResourceExhausted);

  EXPECT_OK(file->WriteAt(0, AsBytes("12")));
  EXPECT_THAT(file->WriteAt(2, AsBytes("3456")), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_OK(file->Sync());
  EXPECT_THAT(Read("/s/a"), IsOkAndHolds(std::string("1234"))) << "half of it was written";
}

TEST_F(FakeFilesTest, FailsAllCallsFromTheOneThatIsAskedFor) {
  const auto file = Open("/s/a");

  files_.FailFrom(2);

  EXPECT_OK(file->WriteAt(0, AsBytes("12")));
  EXPECT_THAT(file->Sync(), StatusIs(StatusCode::kUnavailable, HasSubstr("sync /s/a")));
  EXPECT_THAT(files_.SyncFolder("/s"), StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(Read("/s/a"), IsOkAndHolds(std::string("12"))) << "reading goes on";
  files_.FailAt(0);
  EXPECT_OK(file->Sync());
}

TEST_F(FakeFilesTest, RunsOutOfSpace) {
  const auto file = Open("/s/a");
  files_.SetCapacity(4);

  EXPECT_OK(file->WriteAt(0, AsBytes("1234")));
  EXPECT_OK(file->WriteAt(0, AsBytes("abcd"))) << "in place needs none";
  EXPECT_THAT(Open("/s/b")->WriteAt(0, AsBytes("5")), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(file->Truncate(5), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_OK(file->Truncate(3));
  EXPECT_OK(Open("/s/b")->WriteAt(0, AsBytes("5")));
}

// The contract of WriteFileDurably: whichever of its calls fails, and wherever the power is cut,
// the file is the old one or the new one, and OK means the new one.
TEST_F(FakeFilesTest, FindsNoPlaceWhereADurableWriteIsTorn) {
  for (int n = 1; n < 100; ++n) {
    FakeFiles files;
    ASSERT_OK(files.MakeFolder("/s"));
    ASSERT_OK(files.SyncFolder("/"));
    ASSERT_OK(WriteFileDurably(files, "/s/a", "the old contents"));
    const std::int64_t before = files.writing_calls();

    files.FailFrom(n);
    const Status status = WriteFileDurably(files, "/s/a", "new");
    const bool all_done = files.writing_calls() - before < n;
    files.CrashTearingTheLastWrite();

    ASSERT_OK_AND_ASSIGN(const std::string contents, ReadFile(files, "/s/a", 1'000));
    EXPECT_EQ(contents, status.ok() ? "new" : "the old contents") << "failing from call " << n;
    EXPECT_EQ(status.ok(), all_done);
    if (all_done) return;
  }
  FAIL() << "the write never ended";
}

}  // namespace
}  // namespace fed::testing
