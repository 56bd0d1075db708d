// Blobs: whole, named by their digest, or not there at all.
#include "server/store/blob_folder.h"

#include <gmock/gmock.h>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {
namespace {

using ::fed::testing::FakeFiles;
using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr char kRoot[] = "/state/blobs";

std::string TwoChunks() { return std::string(kChunkBytes + 5, 'z'); }

// What a blob of these bytes is called, worked out without a file.
Digest DigestOf(absl::string_view contents, std::vector<Digest>* chunks = nullptr) {
  std::vector<Digest> digests;
  for (std::size_t at = 0; at < contents.size(); at += kChunkBytes) {
    digests.push_back(ChunkDigest(AsBytes(contents.substr(at, kChunkBytes))));
  }
  if (chunks != nullptr) *chunks = digests;
  return FileDigest(static_cast<std::int64_t>(contents.size()), digests);
}

StatusOr<Digest> Keep(BlobFolder& folder, absl::string_view contents,
                      std::vector<Digest>* chunks = nullptr) {
  FED_ASSIGN_OR_RETURN(const auto draft, folder.Begin());
  FED_RETURN_IF_ERROR(draft->file().WriteAt(0, AsBytes(contents)));
  return draft->Commit(chunks);
}

StatusOr<std::string> Contents(const BlobFolder& folder, const Digest& digest) {
  FED_ASSIGN_OR_RETURN(const auto file, folder.Open(digest));
  FED_ASSIGN_OR_RETURN(const std::int64_t size, file->size());
  std::string contents(static_cast<std::size_t>(size), ' ');
  FED_RETURN_IF_ERROR(
      file->ReadAt(0, {reinterpret_cast<std::uint8_t*>(contents.data()), contents.size()}));
  return contents;
}

class BlobFolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(files_.MakeFolder("/state"));
    ASSERT_OK(files_.SyncFolder("/"));
    folder_ = Reopen();
  }

  std::unique_ptr<BlobFolder> Reopen() {
    StatusOr<std::unique_ptr<BlobFolder>> folder = BlobFolder::Open(files_, kRoot);
    EXPECT_OK(folder.status());
    return *std::move(folder);
  }
  std::string ChunksPathOf(const Digest& digest) { return folder_->PathOf(digest) + ".chunks"; }

  FakeFiles files_;
  std::unique_ptr<BlobFolder> folder_;
};

TEST_F(BlobFolderTest, ABlobIsNamedByItsDigestAndKeepsThoseOfItsChunks) {
  std::vector<Digest> expected, chunks;
  const Digest digest = DigestOf(TwoChunks(), &expected);

  EXPECT_THAT(Keep(*folder_, TwoChunks(), &chunks), IsOkAndHolds(digest));

  EXPECT_EQ(chunks, expected);
  EXPECT_EQ(chunks.size(), 2u);
  EXPECT_THAT(Contents(*folder_, digest), IsOkAndHolds(TwoChunks()));
  EXPECT_THAT(folder_->Chunks(digest), IsOkAndHolds(expected));
  EXPECT_EQ(folder_->PathOf(digest), std::string(kRoot) + "/" + digest.ToHex());
  EXPECT_THAT(folder_->List(), IsOkAndHolds(ElementsAre(digest)));
  EXPECT_THAT(files_.List(std::string(kRoot) + "/tmp"), IsOkAndHolds(IsEmpty()));
}

TEST_F(BlobFolderTest, AnEmptyBlobIsABlob) {
  const Digest digest = DigestOf("");
  EXPECT_THAT(Keep(*folder_, ""), IsOkAndHolds(digest));
  EXPECT_THAT(Contents(*folder_, digest), IsOkAndHolds(""));
  EXPECT_THAT(folder_->Chunks(digest), IsOkAndHolds(IsEmpty()));
}

TEST_F(BlobFolderTest, TheSameContentsAgainAreNoError) {
  ASSERT_OK_AND_ASSIGN(const Digest digest, Keep(*folder_, "weights"));
  ASSERT_OK_AND_ASSIGN(const auto reading, folder_->Open(digest));
  EXPECT_THAT(Keep(*folder_, "weights"), IsOkAndHolds(digest));
  EXPECT_THAT(reading->size(), IsOkAndHolds(7));
  EXPECT_THAT(folder_->List(), IsOkAndHolds(ElementsAre(digest)));
}

TEST_F(BlobFolderTest, ADraftIsInvisibleAndGoesWithoutACommit) {
  {
    ASSERT_OK_AND_ASSIGN(const auto draft, folder_->Begin());
    ASSERT_OK(draft->file().WriteAt(0, AsBytes("half")));
    EXPECT_THAT(folder_->List(), IsOkAndHolds(IsEmpty()));
    EXPECT_THAT(folder_->Open(DigestOf("half")), StatusIs(StatusCode::kNotFound));
  }
  EXPECT_THAT(files_.List(std::string(kRoot) + "/tmp"), IsOkAndHolds(IsEmpty()));
}

TEST_F(BlobFolderTest, ADraftCommitsOnce) {
  ASSERT_OK_AND_ASSIGN(const auto draft, folder_->Begin());
  ASSERT_OK(draft->Commit());
  EXPECT_THAT(draft->Commit(), StatusIs(StatusCode::kFailedPrecondition, HasSubstr("committed")));
}

TEST_F(BlobFolderTest, TwoDraftsAtOnceDoNotMix) {
  ASSERT_OK_AND_ASSIGN(const auto one, folder_->Begin());
  ASSERT_OK_AND_ASSIGN(const auto two, folder_->Begin());
  ASSERT_OK(one->file().WriteAt(0, AsBytes("one")));
  ASSERT_OK(two->file().WriteAt(0, AsBytes("two")));
  EXPECT_THAT(two->Commit(), IsOkAndHolds(DigestOf("two")));
  EXPECT_THAT(one->Commit(), IsOkAndHolds(DigestOf("one")));
  EXPECT_THAT(folder_->List(),
              IsOkAndHolds(UnorderedElementsAre(DigestOf("one"), DigestOf("two"))));
}

TEST_F(BlobFolderTest, RemovingLeavesNothingAndTwiceIsOk) {
  ASSERT_OK_AND_ASSIGN(const Digest digest, Keep(*folder_, "weights"));
  ASSERT_OK(folder_->Remove(digest));
  EXPECT_OK(folder_->Remove(digest));
  EXPECT_THAT(folder_->Open(digest), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(folder_->Chunks(digest), StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(files_.List(kRoot), IsOkAndHolds(ElementsAre("tmp")));
}

TEST_F(BlobFolderTest, DigestsThatDoNotMakeUpTheBlobsAreDataLoss) {
  ASSERT_OK_AND_ASSIGN(const Digest digest, Keep(*folder_, TwoChunks()));
  const auto lost = StatusIs(StatusCode::kDataLoss,
                             AllOf(HasSubstr(ChunksPathOf(digest)), HasSubstr("2 chunks")));
  const std::string other(64, '\x07');
  for (const absl::string_view damaged :
       {absl::string_view(other), absl::string_view(other).substr(1), absl::string_view()}) {
    ASSERT_OK(WriteFileDurably(files_, ChunksPathOf(digest), damaged));
    EXPECT_THAT(folder_->Chunks(digest), lost);
  }
  ASSERT_OK(WriteFileDurably(files_, ChunksPathOf(digest), other + "more"));
  EXPECT_THAT(folder_->Chunks(digest), lost);
  ASSERT_OK(files_.Remove(ChunksPathOf(digest)));
  EXPECT_THAT(folder_->Chunks(digest), lost);
}

TEST_F(BlobFolderTest, OpeningRemovesWhatADeadProcessLeft) {
  ASSERT_OK_AND_ASSIGN(const Digest digest, Keep(*folder_, "weights"));
  const std::string lone = folder_->PathOf(DigestOf("never came")) + ".chunks";
  for (const std::string& path :
       {std::string(kRoot) + "/tmp/17", lone, ChunksPathOf(digest) + ".tmp"}) {
    ASSERT_OK(WriteFileDurably(files_, path, "left"));
  }
  ASSERT_OK(WriteFileDurably(files_, std::string(kRoot) + "/README", "not ours"));

  folder_ = Reopen();

  EXPECT_THAT(files_.List(std::string(kRoot) + "/tmp"), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(files_.List(kRoot),
              IsOkAndHolds(UnorderedElementsAre(digest.ToHex(), digest.ToHex() + ".chunks",
                                                "README", "tmp")));
  EXPECT_THAT(Contents(*folder_, digest), IsOkAndHolds("weights"));
}

// The scenario fails at its n-th writing call, then the power goes; for every n.
TEST_F(BlobFolderTest, AfterAPowerCutAnywhereABlobIsWholeOrNotThere) {
  const Digest old = *Keep(*folder_, "the version before");
  const Digest digest = DigestOf(TwoChunks());
  bool finished = false;
  for (int n = 1; !finished; ++n) {
    ASSERT_LT(n, 100) << "it never finishes";
    files_.FailFrom(n);
    const StatusOr<Digest> kept = Keep(*folder_, TwoChunks());
    finished = kept.ok();
    n % 2 == 0 ? files_.Crash() : files_.CrashTearingTheLastWrite();

    folder_ = Reopen();

    EXPECT_THAT(Contents(*folder_, old), IsOkAndHolds("the version before"));
    const StatusOr<std::string> found = Contents(*folder_, digest);
    if (found.ok()) {
      EXPECT_EQ(*found, TwoChunks()) << n;
      EXPECT_OK(folder_->Chunks(digest)) << n;
    } else {
      EXPECT_EQ(found.status().code(), StatusCode::kNotFound) << n;
    }
    if (finished) {
      EXPECT_OK(found) << "an acknowledged blob is gone";
    }
    EXPECT_THAT(files_.List(std::string(kRoot) + "/tmp"), IsOkAndHolds(IsEmpty())) << n;
    ASSERT_OK(folder_->Remove(digest));
    ASSERT_OK(files_.SyncFolder(kRoot));
  }
}

TEST_F(BlobFolderTest, AFullDiskIsSaidAndLeavesNothing) {
  files_.SetCapacity(1'000);
  EXPECT_THAT(Keep(*folder_, TwoChunks()), StatusIs(StatusCode::kResourceExhausted));
  EXPECT_THAT(files_.List(std::string(kRoot) + "/tmp"), IsOkAndHolds(IsEmpty()));
  EXPECT_OK(Keep(*folder_, "small"));
}

TEST(RealBlobFolderTest, WorksOnTheMachinesDisk) {
  const testing::TempFolder temp;
  ASSERT_OK_AND_ASSIGN(const auto folder,
                       BlobFolder::Open(FileSystem::Real(), temp.File("state/blobs")));
  ASSERT_OK_AND_ASSIGN(const Digest digest, Keep(*folder, TwoChunks()));
  EXPECT_THAT(Contents(*folder, digest), IsOkAndHolds(TwoChunks()));
  ASSERT_OK_AND_ASSIGN(const auto again,
                       BlobFolder::Open(FileSystem::Real(), temp.File("state/blobs")));
  EXPECT_THAT(again->List(), IsOkAndHolds(ElementsAre(digest)));
}

}  // namespace
}  // namespace fed::server
