// One contract over the machine's files and the fake; then what only one of them can show.
#include "common/base/file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/base/bytes.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed {
namespace {

using ::testing::ElementsAre;
using testing::FakeFiles;
using ::testing::HasSubstr;
using testing::IsOk;
using testing::IsOkAndHolds;
using testing::StatusIs;
using testing::TempFolder;

using Mode = FileSystem::Mode;

class FileSystemTest : public ::testing::TestWithParam<const char*> {
 protected:
  FileSystemTest() {
    if (real()) return;
    EXPECT_OK(fake_.MakeFolder(root()));
  }
  bool real() const { return GetParam() == std::string("Real"); }
  FileSystem& files() { return real() ? FileSystem::Real() : fake_; }
  std::string root() const { return real() ? temp_.path() : "/state"; }
  std::string Path(const std::string& name) const { return JoinPath(root(), name); }

 private:
  TempFolder temp_;
  FakeFiles fake_;
};

INSTANTIATE_TEST_SUITE_P(All, FileSystemTest, ::testing::Values("Real", "Fake"),
                         [](const auto& about) { return std::string(about.param); });

TEST_P(FileSystemTest, ReadsBackWhatWasWritten) {
  ASSERT_OK_AND_ASSIGN(const auto file, files().Open(Path("a"), Mode::kCreate));

  ASSERT_OK(file->WriteAt(0, AsBytes("hello")));
  ASSERT_OK(file->WriteAt(8, AsBytes("!")));
  ASSERT_OK(file->WriteAt(1, AsBytes("u")));
  ASSERT_OK(file->Sync());

  EXPECT_THAT(ReadFile(files(), Path("a"), 100), IsOkAndHolds(std::string("hullo\0\0\0!", 9)));
  EXPECT_THAT(file->size(), IsOkAndHolds(9));
}

TEST_P(FileSystemTest, SaysThatAFileEndsBeforeTheBytesAskedFor) {
  ASSERT_OK_AND_ASSIGN(const auto file, files().Open(Path("a"), Mode::kCreate));
  ASSERT_OK(file->WriteAt(0, AsBytes("abc")));
  std::vector<std::uint8_t> out(2);

  EXPECT_THAT(file->ReadAt(1, absl::MakeSpan(out)), IsOk());
  EXPECT_EQ(AsText(out), "bc");
  EXPECT_THAT(file->ReadAt(2, absl::MakeSpan(out)),
              StatusIs(StatusCode::kOutOfRange, HasSubstr(Path("a") + ": it ends at byte 3")));
}

TEST_P(FileSystemTest, GrowsByZerosAndShrinks) {
  ASSERT_OK_AND_ASSIGN(const auto file, files().Open(Path("a"), Mode::kCreate));
  ASSERT_OK(file->WriteAt(0, AsBytes("abc")));

  ASSERT_OK(file->Truncate(1));
  ASSERT_OK(file->Truncate(3));

  EXPECT_THAT(ReadFile(files(), Path("a"), 100), IsOkAndHolds(std::string("a\0\0", 3)));
}

TEST_P(FileSystemTest, KeepsContentsWhenOpenedAgain) {
  ASSERT_OK(WriteFileDurably(files(), Path("a"), "kept"));
  ASSERT_OK_AND_ASSIGN(const auto file, files().Open(Path("a"), Mode::kCreate));
  EXPECT_THAT(file->size(), IsOkAndHolds(4));
}

TEST_P(FileSystemTest, NamesTheFileThatIsMissing) {
  const auto missing = StatusIs(StatusCode::kNotFound, HasSubstr(Path("none")));
  EXPECT_THAT(files().Open(Path("none"), Mode::kRead).status(), missing);
  EXPECT_THAT(files().Open(Path("none"), Mode::kReadWrite).status(), missing);
  EXPECT_THAT(files().Open(Path("none/a"), Mode::kCreate).status(), missing);
  EXPECT_THAT(files().Remove(Path("none")), missing);
  EXPECT_THAT(files().Rename(Path("none"), Path("b")), missing);
  EXPECT_THAT(files().List(Path("none")), missing);
  EXPECT_THAT(files().SyncFolder(Path("none")), missing);
  EXPECT_THAT(ReadFile(files(), Path("none"), 10), missing);
  EXPECT_THAT(files().Exists(Path("none")), IsOkAndHolds(false));
}

TEST_P(FileSystemTest, RefusesToWriteAFileOpenedForReading) {
  ASSERT_OK(WriteFileDurably(files(), Path("a"), "x"));
  ASSERT_OK_AND_ASSIGN(const auto file, files().Open(Path("a"), Mode::kRead));
  EXPECT_THAT(file->WriteAt(0, AsBytes("y")),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr(Path("a"))));
}

TEST_P(FileSystemTest, RenamesOverAnotherFile) {
  ASSERT_OK(WriteFileDurably(files(), Path("old"), "1"));
  ASSERT_OK(WriteFileDurably(files(), Path("new"), "2"));

  ASSERT_OK(files().Rename(Path("new"), Path("old")));

  EXPECT_THAT(ReadFile(files(), Path("old"), 10), IsOkAndHolds(std::string("2")));
  EXPECT_THAT(files().List(root()), IsOkAndHolds(ElementsAre("old")));
}

TEST_P(FileSystemTest, MakesFoldersWithTheirParents) {
  ASSERT_OK(files().MakeFolder(Path("x/y/z")));
  ASSERT_OK(files().MakeFolder(Path("x/y/z"))) << "again is OK";
  ASSERT_OK(WriteFileDurably(files(), Path("x/y/b"), ""));
  ASSERT_OK(WriteFileDurably(files(), Path("x/y/a"), ""));

  EXPECT_THAT(files().List(Path("x/y")), IsOkAndHolds(ElementsAre("a", "b", "z")));
  EXPECT_THAT(files().Exists(Path("x/y/z")), IsOkAndHolds(true));
  EXPECT_THAT(files().Remove(Path("x/y")), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(files().Remove(Path("x/y/z")), IsOk());
  EXPECT_THAT(files().MakeFolder(Path("x/y/a")), StatusIs(StatusCode::kAlreadyExists));
}

TEST_P(FileSystemTest, KeepsAnOpenFileAliveThatWasRemoved) {
  ASSERT_OK_AND_ASSIGN(const auto file, files().Open(Path("a"), Mode::kCreate));
  ASSERT_OK(file->WriteAt(0, AsBytes("x")));

  ASSERT_OK(files().Remove(Path("a")));

  EXPECT_THAT(file->size(), IsOkAndHolds(1));
  EXPECT_THAT(files().Exists(Path("a")), IsOkAndHolds(false));
}

TEST_P(FileSystemTest, ReplacesAFileAndLeavesNoTemporaryOne) {
  ASSERT_OK(WriteFileDurably(files(), Path("a"), "a longer text"));
  ASSERT_OK(WriteFileDurably(files(), Path("a"), "short"));

  EXPECT_THAT(ReadFile(files(), Path("a"), 5), IsOkAndHolds(std::string("short")));
  EXPECT_THAT(files().List(root()), IsOkAndHolds(ElementsAre("a")));
}

TEST_P(FileSystemTest, RefusesToReadAFileAboveTheLimit) {
  ASSERT_OK(WriteFileDurably(files(), Path("a"), "12345"));
  EXPECT_THAT(
      ReadFile(files(), Path("a"), 4),
      StatusIs(StatusCode::kResourceExhausted, Path("a") + " has 5 bytes: at most 4 are read"));
}

TEST(PosixFileTest, MakesFilesAndFoldersThatOnlyTheirOwnerReads) {
  TempFolder folder;
  ASSERT_OK(WriteFileDurably(FileSystem::Real(), folder.File("key"), "secret"));
  ASSERT_OK(FileSystem::Real().MakeFolder(folder.File("sub")));

  struct stat file {
  }, sub{};
  ASSERT_EQ(::stat(folder.File("key").c_str(), &file), 0);
  ASSERT_EQ(::stat(folder.File("sub").c_str(), &sub), 0);
  EXPECT_EQ(file.st_mode & 0777u, 0600u);
  EXPECT_EQ(sub.st_mode & 0777u, 0700u);
}

TEST(PosixFileTest, SaysThatTheDiskIsFull) {
  ASSERT_OK_AND_ASSIGN(const auto full, FileSystem::Real().Open("/dev/full", Mode::kReadWrite));
  EXPECT_THAT(full->WriteAt(0, AsBytes("x")),
              StatusIs(StatusCode::kResourceExhausted,
                       HasSubstr("write /dev/full: No space left on device")));
}

TEST(PathTest, JoinsAndSplits) {
  EXPECT_EQ(JoinPath("a", "b"), "a/b");
  EXPECT_EQ(JoinPath("a/", "b"), "a/b");
  EXPECT_EQ(JoinPath("/", "b"), "/b");
  EXPECT_EQ(JoinPath("", "b"), "b");
  EXPECT_EQ(FolderOf("/a/b"), "/a");
  EXPECT_EQ(FolderOf("/a"), "/");
  EXPECT_EQ(FolderOf("a"), ".");
}

}  // namespace
}  // namespace fed
