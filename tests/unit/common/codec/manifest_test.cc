// What must agree in a manifest.
#include "common/codec/manifest.h"

#include <gtest/gtest.h>

#include <functional>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::HasSubstr;
using testing::StatusIs;

ManifestFile MakeFile(const std::string& group, std::int64_t bytes) {
  ManifestFile file{.group = group, .bytes = bytes, .digest = {}, .chunks = {}};
  for (std::int64_t at = 0; at < bytes; at += kChunkBytes) {
    file.chunks.push_back(Sha256(group + std::to_string(at)));
  }
  file.digest = FileDigest(bytes, file.chunks);
  return file;
}

Manifest MakeManifest() {
  return {JobId{"demo"}, ModelVersion{3}, {MakeFile("control", 100), MakeFile("model", 3'000'000)}};
}

TEST(ManifestTest, IsValidWhenAllAgrees) {
  EXPECT_OK(Validate(MakeManifest()));
  EXPECT_OK(Validate({JobId{"demo"}, ModelVersion{0}, {MakeFile("model", 0)}}));
  EXPECT_OK(Validate({JobId{"demo"}, ModelVersion{0}, {MakeFile("model", kChunkBytes)}}));
}

TEST(ManifestTest, FindsAFileByItsGroup) {
  const Manifest manifest = MakeManifest();
  ASSERT_NE(manifest.Find("model"), nullptr);
  EXPECT_EQ(manifest.Find("model")->bytes, 3'000'000);
  EXPECT_EQ(manifest.Find("mode"), nullptr);
}

struct BadManifest {
  const char* name;
  std::function<void(Manifest&)> spoil;
  const char* message;
};

class BadManifestTest : public ::testing::TestWithParam<BadManifest> {};

TEST_P(BadManifestTest, IsRefusedWithWhatIsWrong) {
  Manifest manifest = MakeManifest();
  GetParam().spoil(manifest);
  EXPECT_THAT(Validate(manifest), StatusIs(StatusCode::kDataLoss, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadManifestTest,
    ::testing::Values(
        BadManifest{"NoFiles", [](Manifest& m) { m.files.clear(); }, "0 files: expected 1 to 16"},
        BadManifest{"TooManyFiles", [](Manifest& m) { m.files.resize(17); }, "17 files"},
        BadManifest{"Unsorted", [](Manifest& m) { std::swap(m.files[0], m.files[1]); },
                    "group control after model: not sorted"},
        BadManifest{"GroupTwice", [](Manifest& m) { m.files[0] = m.files[1]; },
                    "group model after model"},
        BadManifest{"NoGroup", [](Manifest& m) { m.files[0].group = ""; }, "group name of 0 bytes"},
        BadManifest{"ChunkMissing", [](Manifest& m) { m.files[1].chunks.pop_back(); },
                    "of 3000000 bytes has 2 chunks: expected 3"},
        BadManifest{"ChunkSwapped",
                    [](Manifest& m) { std::swap(m.files[1].chunks[0], m.files[1].chunks[1]); },
                    "file model has digest"},
        BadManifest{"OtherSize", [](Manifest& m) { m.files[1].bytes -= 1; }, "its chunks make"},
        BadManifest{"NegativeSize", [](Manifest& m) { m.files[0].bytes = -1; }, "has -1 bytes"},
        BadManifest{"NoJob", [](Manifest& m) { m.job.value = ""; }, "job name of 0 bytes"},
        BadManifest{"LongJob", [](Manifest& m) { m.job.value = std::string(64, 'a'); },
                    "job name of 64 bytes"},
        BadManifest{"NegativeVersion", [](Manifest& m) { m.version.value = -1; }, "version -1"}),
    [](const auto& about) { return std::string(about.param.name); });

TEST(ManifestDigestTest, CoversItsFieldsAsDocumented) {
  const Manifest manifest = MakeManifest();
  std::vector<std::uint8_t> bytes;
  ByteWriter writer(bytes);
  writer.Raw(AsBytes("fedmanifest1"));
  writer.ShortText("demo");
  writer.I64(3);
  for (const ManifestFile& file : manifest.files) {
    writer.ShortText(file.group);
    writer.I64(file.bytes);
    writer.Raw(file.digest.bytes);
  }

  EXPECT_EQ(ManifestDigest(manifest), Sha256(bytes));
}

TEST(ManifestDigestTest, ChangesWithEachField) {
  const Digest before = ManifestDigest(MakeManifest());
  const std::vector<std::function<void(Manifest&)>> changes = {
      [](Manifest& m) { m.job.value = "demo2"; },
      [](Manifest& m) { m.version.value = 4; },
      [](Manifest& m) { m.files[0].group = "contro"; },
      [](Manifest& m) { m.files[0].bytes = 101; },
      [](Manifest& m) { m.files[0].digest.bytes[31] ^= 1; },
      [](Manifest& m) { m.files.pop_back(); }};
  for (const auto& change : changes) {
    Manifest manifest = MakeManifest();
    change(manifest);
    EXPECT_NE(ManifestDigest(manifest), before);
  }
}

}  // namespace
}  // namespace fed
