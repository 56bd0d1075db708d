// The second pass reads what the first one took, and finds what the disk lost.
#include "server/ingest/spool_source.h"

#include <functional>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"

namespace fed::server {
namespace {

using ::fed::testing::EncodedUpdate;
using ::fed::testing::FakeFiles;
using ::fed::testing::IsOk;
using ::fed::testing::MakeUpdate;
using ::fed::testing::SomeValues;
using ::fed::testing::StatusIs;
using ::fed::testing::UpdateContents;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// Long enough for the index of offsets to have a second entry (a stride is 64 tiles).
constexpr std::int64_t kDeltaValues = 65 * kTileValues + 100;

UpdateContents ContentsOf(AssignmentId assignment) {
  UpdateContents contents;
  contents.assignment = assignment;
  const auto seed = static_cast<std::uint64_t>(assignment.value);
  contents.groups = {{"control", SomeValues(9'000, seed)},
                     {"delta", SomeValues(kDeltaValues, seed + 100)}};
  return contents;
}

class SpoolSourceTest : public ::testing::Test {
 protected:
  SpoolSourceTest() {
    StatusOr<std::unique_ptr<Spool>> spool = Spool::Open(files_, "/spool");
    EXPECT_OK(spool);
    spool_ = *std::move(spool);
  }

  // Spools an update of this client and returns its receipt.
  Receipt Add(const std::string& client, const UpdateContents& contents) {
    const EncodedUpdate update = MakeUpdate(contents);
    const Spool::Key key{contents.job, contents.assignment, update.digest};
    const StatusOr<std::unique_ptr<File>> file = spool_->OpenForWriting(key);
    EXPECT_OK(file);
    EXPECT_OK((*file)->WriteAt(0, AsBytes(update.bytes)));
    Receipt receipt;
    receipt.job = contents.job;
    receipt.assignment = contents.assignment;
    receipt.client = ClientId{client};
    receipt.digest = update.digest.ToHex();
    receipt.spool_file = spool_->NameOf(key);
    receipt.bytes = update.total_bytes();
    return receipt;
  }

  std::unique_ptr<File> FileOf(const Receipt& receipt) {
    auto file = files_.Open(JoinPath("/spool", receipt.spool_file), FileSystem::Mode::kReadWrite);
    EXPECT_OK(file);
    return *std::move(file);
  }

  void Flip(const Receipt& receipt, std::int64_t offset) {
    const std::unique_ptr<File> file = FileOf(receipt);
    std::vector<std::uint8_t> byte(1);
    EXPECT_OK(file->ReadAt(offset, absl::MakeSpan(byte)));
    byte[0] ^= 1;
    EXPECT_OK(file->WriteAt(offset, byte));
  }

  FakeFiles files_;
  std::unique_ptr<Spool> spool_;
};

TEST_F(SpoolSourceTest, GivesRowsInCanonicalOrderWhateverTheOrderOfArrival) {
  const Receipt bob = Add("bob", ContentsOf({3}));
  const Receipt ann_late = Add("ann", ContentsOf({9}));
  const Receipt ann = Add("ann", ContentsOf({1}));
  ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {bob, ann_late, ann}, false));

  std::vector<std::int64_t> order;
  for (const Receipt& receipt : reader->receipts()) order.push_back(receipt.assignment.value);
  EXPECT_THAT(order, ElementsAreArray({1, 9, 3}));
  EXPECT_THAT(reader->bad(), IsEmpty());
}

TEST_F(SpoolSourceTest, DecodesEveryTileOfEveryGroup) {
  const std::vector<AssignmentId> assignments = {{1}, {2}};
  ASSERT_OK_AND_ASSIGN(
      const auto reader,
      SpoolReader::Open(*spool_, {Add("ann", ContentsOf({1})), Add("bob", ContentsOf({2}))}, true));
  for (const std::string group : {"control", "delta"}) {
    ASSERT_OK_AND_ASSIGN(const auto source, reader->Group(group));
    std::vector<std::vector<float>> rows(2);
    for (std::int64_t t = 0; t < source->tiles(); ++t) {
      ASSERT_OK_AND_ASSIGN(const auto tile, source->Open(t));
      ASSERT_EQ(tile->rows(), 2U);
      std::vector<float> both;
      for (std::size_t k = 0; k < 2; ++k) {
        ASSERT_OK_AND_ASSIGN(const auto row, tile->Row(k));
        ASSERT_EQ(row.size(), tile->values());
        rows[k].insert(rows[k].end(), row.begin(), row.end());
        both.insert(both.end(), row.begin(), row.end());
      }
      ASSERT_OK_AND_ASSIGN(const auto all, tile->AllRows());
      EXPECT_EQ(both, std::vector<float>(all.begin(), all.end()));
    }
    for (std::size_t k = 0; k < 2; ++k) {
      EXPECT_EQ(rows[k], ContentsOf(assignments[k]).groups.at(group));
    }
  }
}

TEST_F(SpoolSourceTest, RefusesAGroupAndATileThatAreNotThere) {
  ASSERT_OK_AND_ASSIGN(const auto reader,
                       SpoolReader::Open(*spool_, {Add("ann", ContentsOf({1}))}, false));
  ASSERT_OK_AND_ASSIGN(const auto source, reader->Group("control"));

  EXPECT_THAT(reader->Group("momentum"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("no group 'momentum'")));
  EXPECT_THAT(source->Open(2), StatusIs(StatusCode::kOutOfRange, HasSubstr("the group has 2")));
}

TEST_F(SpoolSourceTest, HasNoGroupWithoutRows) {
  ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {}, false));

  EXPECT_THAT(reader->Group("delta"), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(SpoolSourceTest, ReadsAnUpdateThatLiesWithinALargerFile) {
  const EncodedUpdate update = MakeUpdate(ContentsOf({1}));
  Receipt receipt = Add("ann", ContentsOf({1}));
  ASSERT_OK(FileOf(receipt)->WriteAt(5'000, AsBytes(update.bytes)));
  receipt.spool_offset = 5'000;
  ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {receipt}, true));

  EXPECT_THAT(reader->bad(), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const auto source, reader->Group("delta"));
  ASSERT_OK_AND_ASSIGN(const auto tile, source->Open(65));
  ASSERT_OK_AND_ASSIGN(const auto row, tile->Row(0));
  EXPECT_EQ(row.back(), ContentsOf({1}).groups.at("delta").back());
}

// One update is damaged; the others go on.
class LostUpdateTest : public SpoolSourceTest {
 protected:
  void ExpectBad(const std::function<void(Receipt&)>& lose, const std::string& reason,
                 bool verify = false) {
    Receipt lost = Add("ann", ContentsOf({1}));
    const Receipt kept = Add("bob", ContentsOf({2}));
    lose(lost);
    ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {lost, kept}, verify));

    ASSERT_THAT(reader->bad(), SizeIs(1));
    EXPECT_EQ(reader->bad()[0].assignment, AssignmentId{1});
    EXPECT_THAT(reader->bad()[0].reason, HasSubstr(reason));
    ASSERT_THAT(reader->receipts(), SizeIs(1));
    EXPECT_EQ(reader->receipts()[0].assignment, AssignmentId{2});
  }
};

TEST_F(LostUpdateTest, FileIsGone) {
  ExpectBad([&](Receipt& r) { EXPECT_OK(spool_->Remove(r.job, r.assignment)); }, "No such file");
}

TEST_F(LostUpdateTest, FileIsCutOffInTheHeader) {
  ExpectBad([&](Receipt& r) { EXPECT_OK(FileOf(r)->Truncate(20)); }, "cut off");
}

TEST_F(LostUpdateTest, FileIsCutOffInTheTable) {
  ExpectBad([&](Receipt& r) { EXPECT_OK(FileOf(r)->Truncate(500)); }, "cut off");
}

TEST_F(LostUpdateTest, MagicIsNotAnUpdates) {
  ExpectBad([&](Receipt& r) { Flip(r, 0); }, "not an update");
}

TEST_F(LostUpdateTest, HeaderIsOfAnotherAssignment) {
  ExpectBad([&](Receipt& r) { r.spool_file = Add("eve", ContentsOf({7})).spool_file; },
            "the file holds assignment 7");
}

TEST_F(LostUpdateTest, DigestIsNotTheReceipts) {
  ExpectBad([&](Receipt& r) { r.digest[0] = r.digest[0] == '0' ? '1' : '0'; }, "the receipt has");
}

TEST_F(LostUpdateTest, SizeIsNotTheReceipts) {
  ExpectBad([&](Receipt& r) { r.bytes += 1; }, "the receipt has");
  ExpectBad([&](Receipt& r) { r.bytes = 100; }, "does not fit into 100 bytes");
}

TEST_F(LostUpdateTest, TileIsDamagedAndVerified) {
  ExpectBad([&](Receipt& r) { Flip(r, r.bytes - 1); }, "tile 67 does not match its digest", true);
}

TEST_F(LostUpdateTest, LastTileIsCutOffAndVerified) {
  ExpectBad([&](Receipt& r) { EXPECT_OK(FileOf(r)->Truncate(r.bytes - 1)); }, "cut off", true);
}

TEST_F(LostUpdateTest, GroupsAreNotTheRounds) {
  const Receipt first = Add("ann", ContentsOf({1}));
  UpdateContents contents = ContentsOf({2});
  contents.groups.erase("control");
  const Receipt other = Add("bob", contents);
  ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {first, other}, false));

  ASSERT_THAT(reader->bad(), SizeIs(1));
  EXPECT_THAT(reader->bad()[0].reason, HasSubstr("its groups are not the round's"));
}

TEST_F(SpoolSourceTest, NamesTheAssignmentWhoseTileCanNotBeReadLater) {
  const Receipt receipt = Add("ann", ContentsOf({5}));
  ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {receipt}, false));
  ASSERT_OK_AND_ASSIGN(const auto source, reader->Group("delta"));
  ASSERT_OK_AND_ASSIGN(const auto tile, source->Open(65));
  ASSERT_OK(FileOf(receipt)->Truncate(receipt.bytes - 1));

  EXPECT_THAT(tile->Row(0),
              StatusIs(StatusCode::kDataLoss, HasSubstr("update of assignment 5: cut off")));
  EXPECT_THAT(tile->AllRows(), StatusIs(StatusCode::kDataLoss));
}

TEST_F(SpoolSourceTest, AFailingDiskIsNoReasonToGiveUpAnUpdate) {
  const Receipt receipt = Add("ann", ContentsOf({1}));
  ASSERT_OK_AND_ASSIGN(const auto reader, SpoolReader::Open(*spool_, {receipt}, false));
  ASSERT_OK_AND_ASSIGN(const auto source, reader->Group("delta"));
  ASSERT_OK_AND_ASSIGN(const auto tile, source->Open(0));
  files_.Crash();  // open files answer kUnavailable from now on

  EXPECT_THAT(tile->Row(0), StatusIs(StatusCode::kUnavailable, HasSubstr("assignment 1")));
}

}  // namespace
}  // namespace fed::server
