// SHA-256 against NIST's vectors, and the digests made of it against their definitions.
#include "common/crypto/digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using testing::FakeFiles;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using ::testing::SizeIs;
using testing::StatusIs;

using Bytes = std::vector<std::uint8_t>;

// FIPS 180-2 appendix B and NIST's CAVP short messages.
TEST(Sha256Test, GivesNistsKnownAnswers) {
  EXPECT_EQ(Sha256("").ToHex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256("abc").ToHex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").ToHex(),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(Sha256(std::string(1'000'000, 'a')).ToHex(),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  EXPECT_EQ(Sha256(Bytes{0xd3}).ToHex(),
            "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1");
}

TEST(HasherTest, DoesNotMindHowTheBytesAreCut) {
  const std::string text(1'000, 'x');
  Hasher hasher;
  for (std::size_t at = 0; at < text.size(); at += 7) {
    hasher.Add(AsBytes(absl::string_view(text).substr(at, 7)));
  }
  EXPECT_EQ(hasher.Finish(), Sha256(text));
}

TEST(HasherTest, BeginsAnewAfterFinish) {
  Hasher hasher;
  hasher.Add(AsBytes("something else"));
  hasher.Finish();
  hasher.Add(AsBytes("abc"));
  EXPECT_EQ(hasher.Finish(), Sha256("abc"));
  EXPECT_EQ(hasher.Finish(), Sha256(""));
}

TEST(HashManyTest, HashesEachBufferOnItsOwn) {
  std::vector<Bytes> buffers;
  std::vector<absl::Span<const std::uint8_t>> views;
  for (const std::size_t size : {0, 1, 63, 64, 65, 32 << 10}) {
    buffers.emplace_back(size, static_cast<std::uint8_t>(size));
  }
  for (const Bytes& buffer : buffers) views.push_back(buffer);
  std::vector<Digest> digests(views.size());

  HashMany(views, absl::MakeSpan(digests));

  for (std::size_t i = 0; i < views.size(); ++i) EXPECT_EQ(digests[i], Sha256(views[i])) << i;
}

TEST(DigestTest, GoesThroughHex) {
  const Digest digest = Sha256("abc");
  EXPECT_THAT(Digest::FromHex(digest.ToHex()), IsOkAndHolds(digest));
  EXPECT_THAT(Digest::FromBytes(digest.bytes), IsOkAndHolds(digest));
}

TEST(DigestTest, RefusesOtherLengths) {
  EXPECT_THAT(Digest::FromHex("ab"),
              StatusIs(StatusCode::kInvalidArgument, "digest of 1 bytes: expected 32"));
  EXPECT_THAT(Digest::FromHex(std::string(63, 'a')), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Digest::FromHex(std::string(64, 'x')),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("character 0")));
  EXPECT_THAT(Digest::FromBytes(Bytes(33)),
              StatusIs(StatusCode::kInvalidArgument, "digest of 33 bytes: expected 32"));
}

TEST(ChunkDigestTest, IsTheHashOfTheHashesOfItsBlocks) {
  Bytes chunk((64 << 10) + 5);
  for (std::size_t i = 0; i < chunk.size(); ++i) chunk[i] = static_cast<std::uint8_t>(i * 31);
  const absl::Span<const std::uint8_t> view(chunk);
  Hasher hasher;
  hasher.Add(Sha256(view.subspan(0, 32 << 10)).bytes);
  hasher.Add(Sha256(view.subspan(32 << 10, 32 << 10)).bytes);
  hasher.Add(Sha256(view.subspan(64 << 10)).bytes);

  EXPECT_EQ(ChunkDigest(chunk), hasher.Finish());
  EXPECT_EQ(ChunkDigest({}), Sha256("")) << "an empty chunk has no blocks";
}

TEST(FileDigestTest, CoversSizeAndChunks) {
  const std::vector<Digest> chunks = {Sha256("a"), Sha256("b")};
  Hasher hasher;
  hasher.Add(AsBytes("fedfile1"));
  hasher.Add({0x05, 0x00, 0x10, 0, 0, 0, 0, 0});
  hasher.Add(chunks[0].bytes);
  hasher.Add(chunks[1].bytes);

  EXPECT_EQ(FileDigest((1 << 20) + 5, chunks), hasher.Finish());
}

TEST(ChunkDigestsTest, ReadsAFileChunkByChunk) {
  FakeFiles files;
  Bytes bytes(static_cast<std::size_t>(2 * kChunkBytes + 100));
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i % 251);
  ASSERT_OK_AND_ASSIGN(const auto file, files.Open("/a", FileSystem::Mode::kCreate));
  ASSERT_OK(file->WriteAt(0, bytes));

  ASSERT_OK_AND_ASSIGN(const std::vector<Digest> digests, ChunkDigests(*file));

  const absl::Span<const std::uint8_t> view(bytes);
  ASSERT_THAT(digests, SizeIs(3));
  EXPECT_EQ(digests[0], ChunkDigest(view.subspan(0, kChunkBytes)));
  EXPECT_EQ(digests[1], ChunkDigest(view.subspan(kChunkBytes, kChunkBytes)));
  EXPECT_EQ(digests[2], ChunkDigest(view.subspan(2 * kChunkBytes)));
}

TEST(ChunkDigestsTest, HasNoneOfAnEmptyFile) {
  FakeFiles files;
  ASSERT_OK_AND_ASSIGN(const auto file, files.Open("/a", FileSystem::Mode::kCreate));
  EXPECT_THAT(ChunkDigests(*file), IsOkAndHolds(SizeIs(0)));
}

TEST(EqualInConstantTimeTest, ComparesLikeAnyOther) {
  EXPECT_TRUE(EqualInConstantTime("", ""));
  EXPECT_TRUE(EqualInConstantTime("token", "token"));
  EXPECT_FALSE(EqualInConstantTime("token", "toker"));
  EXPECT_FALSE(EqualInConstantTime("token", "token2"));
}

TEST(SystemRandomTest, GivesOtherBytesEachTime) {
  std::set<Bytes> seen;
  for (int i = 0; i < 100; ++i) seen.insert(SystemRandom(16));
  EXPECT_THAT(seen, SizeIs(100));
  EXPECT_THAT(SystemRandom(0), SizeIs(0));
}

}  // namespace
}  // namespace fed
