// What is fetched, what is not, and what the cache lets go.
#include "client_sdk/session/model_cache.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using wire::ChunkRange;

constexpr std::size_t kChunk = kChunkBytes;

// A file of chunks that are each full of one character; the last one is shorter.
std::string Contents(const std::string& chunks) {
  std::string bytes;
  for (const char c : chunks) bytes += std::string(kChunk, c);
  bytes.resize(bytes.size() - 1'000);
  return bytes;
}

ManifestFile FileOf(const std::string& bytes) {
  ManifestFile file;
  file.group = "model";
  file.bytes = static_cast<std::int64_t>(bytes.size());
  for (std::size_t at = 0; at < bytes.size(); at += kChunk) {
    file.chunks.push_back(ChunkDigest(AsBytes(absl::string_view(bytes).substr(at, kChunk))));
  }
  file.digest = FileDigest(file.bytes, file.chunks);
  return file;
}

class ModelCacheTest : public ::testing::Test {
 protected:
  ModelCacheTest() { Open(std::int64_t{100} << 20); }

  void Open(std::int64_t max_bytes) {
    auto cache = ModelCache::Open(files_, Log::Null(), "/cache", max_bytes);
    ASSERT_OK(cache);
    cache_ = *std::move(cache);
  }

  static Manifest ManifestOf(const ManifestFile& file) {
    Manifest manifest;
    manifest.files = {file};
    return manifest;
  }

  std::unique_ptr<ChunkAssembly> Begin(const std::string& bytes) {
    const ManifestFile file = FileOf(bytes);
    auto assembly = cache_->Begin(ManifestOf(file), file);
    EXPECT_OK(assembly);
    return *std::move(assembly);
  }

  // Streams what is missing in pieces that fit nothing; at most `most` bytes.
  static Status Stream(ChunkAssembly& assembly, const std::string& bytes,
                       std::size_t most = std::string::npos) {
    assembly.BeginStream();
    for (const ChunkRange& range : assembly.missing()) {
      const auto end =
          std::min(bytes.size(), static_cast<std::size_t>(range.first + range.count) * kChunk);
      for (auto at = static_cast<std::size_t>(range.first) * kChunk; at < end; at += 77'777) {
        const std::size_t n = std::min<std::size_t>(77'777, end - at);
        if (n > most) return {};
        most -= n;
        FED_RETURN_IF_ERROR(assembly.Add(static_cast<std::int64_t>(at),
                                         AsBytes(absl::string_view(bytes).substr(at, n))));
      }
    }
    return {};
  }

  void Fetch(const std::string& bytes) {
    const auto assembly = Begin(bytes);
    ASSERT_OK(Stream(*assembly, bytes));
    ASSERT_OK(cache_->Finish(*assembly));
  }

  std::string Read(const std::string& bytes) {
    const auto path = cache_->Find(FileOf(bytes));
    return path ? *ReadFile(files_, *path, std::int64_t{1} << 30) : "not there";
  }

  testing::FakeFiles files_;
  std::unique_ptr<ModelCache> cache_;
};

TEST_F(ModelCacheTest, AFileIsPutTogetherFromItsChunks) {
  const std::string bytes = Contents("abc");
  EXPECT_EQ(cache_->Find(FileOf(bytes)), std::nullopt);

  const auto assembly = Begin(bytes);
  EXPECT_THAT(assembly->missing(), ElementsAre(ChunkRange{0, 3}));
  EXPECT_EQ(assembly->missing_bytes(), static_cast<std::int64_t>(bytes.size()));
  ASSERT_OK(Stream(*assembly, bytes));
  EXPECT_THAT(assembly->missing(), IsEmpty());
  ASSERT_OK(cache_->Finish(*assembly));

  EXPECT_EQ(Read(bytes), bytes);
}

TEST_F(ModelCacheTest, OnlyChunksThatChangedAreMissing) {
  Fetch(Contents("abcdef"));
  const std::string next = Contents("abXdYf");

  const auto assembly = Begin(next);

  EXPECT_THAT(assembly->missing(), ElementsAre(ChunkRange{2, 1}, ChunkRange{4, 1}));
  ASSERT_OK(Stream(*assembly, next));
  ASSERT_OK(cache_->Finish(*assembly));
  EXPECT_EQ(Read(next), next);
}

TEST_F(ModelCacheTest, ABrokenStreamGoesOnAtTheFirstChunkThatIsMissing) {
  const std::string bytes = Contents("abcd");
  const auto assembly = Begin(bytes);
  ASSERT_OK(Stream(*assembly, bytes, kChunk * 5 / 2));
  EXPECT_THAT(assembly->missing(), ElementsAre(ChunkRange{2, 2}));
  ASSERT_OK(Stream(*assembly, bytes));
  ASSERT_OK(cache_->Finish(*assembly));
  EXPECT_EQ(Read(bytes), bytes);
}

TEST_F(ModelCacheTest, AHalfFetchedFileOutlivesTheProcess) {
  const std::string bytes = Contents("abcd");
  ASSERT_OK(Stream(*Begin(bytes), bytes, kChunk * 5 / 2));
  Open(100 << 20);
  EXPECT_THAT(Begin(bytes)->missing(), ElementsAre(ChunkRange{2, 2}));
}

TEST_F(ModelCacheTest, WholeFilesOutliveTheProcess) {
  const std::string bytes = Contents("ab");
  Fetch(bytes);
  Open(100 << 20);
  EXPECT_EQ(Read(bytes), bytes);
}

TEST_F(ModelCacheTest, AFileThatRottedIsFetchedAgain) {
  const std::string bytes = Contents("ab");
  Fetch(bytes);
  const std::uint8_t other = 'x';
  ASSERT_OK((*files_.Open(*cache_->Find(FileOf(bytes)), FileSystem::Mode::kReadWrite))
                ->WriteAt(5, {&other, 1}));
  Open(100 << 20);
  EXPECT_EQ(cache_->Find(FileOf(bytes)), std::nullopt);
  EXPECT_THAT(*files_.List("/cache"), IsEmpty());
}

TEST_F(ModelCacheTest, OtherBytesThanPromisedAreDataLoss) {
  const auto assembly = Begin(Contents("abc"));
  EXPECT_THAT(Stream(*assembly, Contents("aXc")),
              StatusIs(StatusCode::kDataLoss, HasSubstr("chunk 1 does not have its digest")));
  EXPECT_THAT(assembly->missing(), ElementsAre(ChunkRange{1, 2}));
}

TEST_F(ModelCacheTest, BytesThatStandElsewhereAreDataLoss) {
  const std::string bytes = Contents("abc");
  const auto assembly = Begin(bytes);
  assembly->BeginStream();
  EXPECT_THAT(assembly->Add(10, AsBytes("x")),
              StatusIs(StatusCode::kDataLoss, HasSubstr("got byte 10, expected byte 0")));
  ASSERT_OK(Stream(*assembly, bytes));
  EXPECT_THAT(assembly->Add(static_cast<std::int64_t>(bytes.size()), AsBytes("x")),
              StatusIs(StatusCode::kDataLoss));
}

TEST_F(ModelCacheTest, TheFileUsedLongestAgoGoesFirst) {
  Open(7 << 20);
  const std::string a = Contents("aa"), b = Contents("bb"), c = Contents("cc"), d = Contents("dd");
  for (const std::string& bytes : {a, b, c}) Fetch(bytes);
  EXPECT_EQ(Read(a), a);  // used: b is now the oldest

  Fetch(d);

  EXPECT_EQ(cache_->Find(FileOf(b)), std::nullopt);
  EXPECT_EQ(Read(a), a);
  EXPECT_EQ(Read(c), c);
  EXPECT_EQ(Read(d), d);
  EXPECT_THAT(*files_.List("/cache"), SizeIs(3));
}

TEST_F(ModelCacheTest, FilesOfTheVersionAtHandNeverGo) {
  Open(3 << 20);
  const std::string model = Contents("aa"), control = Contents("cc");
  Manifest manifest;
  manifest.files = {FileOf(model), FileOf(control)};
  for (const std::string& bytes : {model, control}) {
    const auto assembly = *cache_->Begin(manifest, FileOf(bytes));
    ASSERT_OK(Stream(*assembly, bytes));
    ASSERT_OK(cache_->Finish(*assembly));
  }
  EXPECT_EQ(Read(model), model);
  EXPECT_EQ(Read(control), control);
}

TEST_F(ModelCacheTest, AnAssemblyThatWasGivenUpIsRemoved) {
  ASSERT_OK(Stream(*Begin(Contents("abc")), Contents("abc"), kChunk * 3 / 2));
  Fetch(Contents("xy"));
  EXPECT_THAT(*files_.List("/cache"), SizeIs(1));
}

TEST_F(ModelCacheTest, AFullDiskIsSaidAsSuch) {
  const std::string bytes = Contents("abc");
  files_.SetCapacity(2 << 20);
  EXPECT_THAT(Stream(*Begin(bytes), bytes), StatusIs(StatusCode::kResourceExhausted));
}

}  // namespace
}  // namespace fed::client
