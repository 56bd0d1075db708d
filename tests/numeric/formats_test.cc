// Our files read by python3 with numpy, and python's files read by us. The scripts share no code
// with the tree. A machine without python3 or numpy fails these tests; it never skips them.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>

#include "absl/strings/strip.h"
#include "common/base/random.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"
#include "common/tensor/flat_layout.h"
#include "common/tensor/safetensors.h"
#include "tests/testing/run_command.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed {
namespace {

using ::testing::ElementsAreArray;
using testing::TempFolder;

class FormatsTest : public ::testing::Test {
 protected:
  // The script's output; it must succeed.
  std::string Python(const std::string& script, const std::string& command) {
    const testing::CommandResult result = testing::RunCommand(
        {"/usr/bin/python3", FED_SOURCE_DIR "/tests/numeric/" + script, command, path_});
    EXPECT_EQ(result.exit_code, 0) << "python3 and python3-numpy are needed\n" << result.output;
    return std::string(absl::StripSuffix(result.output, "\n"));
  }

  TempFolder folder_;
  FileSystem& files_ = FileSystem::Real();
  const std::string path_ = folder_.File("file");
};

// The agreement with safetensors_reader.py.

const std::map<std::string, std::string> kMetadata = {{"format", "fed"}, {"quoted", "\"\n"}};

std::vector<TensorInfo> AgreedTensors() {
  return {{"conv.weight", Dtype::kF32, {3, 2, 5}},
          {"conv.bias", Dtype::kBF16, {3}},
          {"steps", Dtype::kI64, {}},
          {"half \xC3\xA9\"\\", Dtype::kF16, {7, 11}},
          {"mask", Dtype::kBool, {4}},
          {"none", Dtype::kF32, {0, 9}},
          {"double", Dtype::kF64, {5}},
          {"small", Dtype::kI8, {2, 2}}};
}

std::int64_t AgreedNumber(std::size_t place, std::size_t i) {
  return static_cast<std::int64_t>((i * 7 + place * 13) % 101);
}

float AgreedFloat(std::size_t place, std::size_t i) {
  return (static_cast<float>(AgreedNumber(place, i)) - 50.0f) / 8.0f;
}

std::vector<std::uint8_t> AgreedBytes(std::size_t place, const TensorInfo& info) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i < static_cast<std::size_t>(info.elements()); ++i) {
    auto number = static_cast<std::uint64_t>(AgreedNumber(place, i));
    if (info.dtype == Dtype::kBool) number %= 2;
    if (info.dtype == Dtype::kF64) {
      number = std::bit_cast<std::uint64_t>(static_cast<double>(AgreedFloat(place, i)));
    }
    for (std::size_t b = 0; b < DtypeBytes(info.dtype); ++b) {
      bytes.push_back(static_cast<std::uint8_t>(number >> 8 * b));
    }
  }
  return bytes;
}

Parameters AgreedParameters() {
  Parameters parameters;
  for (const TensorInfo& info : AgreedTensors()) {
    const std::size_t place = parameters.size();
    EXPECT_OK(parameters.Add(info));
    for (std::size_t i = 0; i < parameters.values(place).size(); ++i) {
      parameters.values(place)[i] = AgreedFloat(place, i);
    }
    if (IsTrainableDtype(info.dtype)) continue;
    const auto bytes = AgreedBytes(place, info);
    std::copy(bytes.begin(), bytes.end(), parameters.bytes(place).begin());
  }
  return parameters;
}

TEST_F(FormatsTest, PythonReadsTheSafetensorsThatWeWrite) {
  ASSERT_OK(SaveSafetensors(files_, path_, AgreedParameters(), kMetadata));
  Python("safetensors_reader.py", "check");
}

TEST_F(FormatsTest, WeReadTheSafetensorsThatPythonWrites) {
  Python("safetensors_reader.py", "write");

  ASSERT_OK_AND_ASSIGN(const auto file, files_.Open(path_, FileSystem::Mode::kRead));
  ASSERT_OK_AND_ASSIGN(const SafetensorsHeader header, ReadSafetensorsHeader(*file));
  ASSERT_OK_AND_ASSIGN(const Parameters parameters, LoadSafetensors(files_, path_));

  EXPECT_EQ(header.metadata, kMetadata);
  const Parameters expected = AgreedParameters();
  ASSERT_EQ(parameters.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(parameters.info(i), expected.info(i));
    EXPECT_THAT(parameters.values(i), ElementsAreArray(expected.values(i)));
    EXPECT_THAT(parameters.bytes(i), ElementsAreArray(expected.bytes(i)));
  }
}

TEST_F(FormatsTest, PythonComputesTheSameLayoutDigest) {
  ASSERT_OK(SaveSafetensors(files_, path_, AgreedParameters(), kMetadata));
  ASSERT_OK_AND_ASSIGN(const FlatLayout layout, FlatLayout::Make(AgreedTensors(), {}));
  EXPECT_EQ(Python("safetensors_reader.py", "layout"), layout.digest().ToHex());
}

TEST_F(FormatsTest, PythonComputesTheSameFileDigest) {
  Parameters parameters;
  ASSERT_OK(parameters.Add({"w", Dtype::kF32, {600'001}}));  // three chunks
  for (std::size_t i = 0; i < 600'001; ++i) parameters.values(0)[i] = static_cast<float>(i);
  ASSERT_OK(SaveSafetensors(files_, path_, parameters));

  ASSERT_OK_AND_ASSIGN(const auto file, files_.Open(path_, FileSystem::Mode::kRead));
  ASSERT_OK_AND_ASSIGN(const std::vector<Digest> chunks, ChunkDigests(*file));

  ASSERT_EQ(chunks.size(), 3u);
  EXPECT_EQ(Python("safetensors_reader.py", "digest"), FileDigest(*file->size(), chunks).ToHex());
}

TEST_F(FormatsTest, NumpyRoundsTo16BitsAsWeDo) {
  constexpr std::int64_t kValues = 300'000;
  Parameters parameters;
  ASSERT_OK(parameters.Add({"f32", Dtype::kF32, {kValues}}));
  ASSERT_OK(parameters.Add({"f16", Dtype::kF16, {kValues}}));
  ASSERT_OK(parameters.Add({"bf16", Dtype::kBF16, {kValues}}));
  RandomStream random(1, RandomPurpose::kTest, 0);
  for (std::size_t i = 0; i < kValues; ++i) {
    float value = std::bit_cast<float>(random.Next());
    // Half of them where F16 has values; no NaN, whose payload numpy may choose.
    if (i % 2 == 0)
      value = static_cast<float>(random.Normal() * std::exp2(random.Below(40) - 25.0));
    if (std::isnan(value)) value = 0;
    for (std::size_t tensor = 0; tensor < 3; ++tensor) parameters.values(tensor)[i] = value;
  }
  ASSERT_OK(SaveSafetensors(files_, path_, parameters));
  Python("safetensors_reader.py", "rounding");
}

TEST_F(FormatsTest, NumpyWidensAll16BitFloatsAsWeDo) {
  Python("safetensors_reader.py", "halves");

  ASSERT_OK_AND_ASSIGN(const Parameters parameters, LoadSafetensors(files_, path_));

  for (const std::size_t narrow : {0, 2}) {
    for (std::size_t i = 0; i < 65'536; ++i) {
      const float ours = parameters.values(narrow)[i], numpys = parameters.values(narrow + 1)[i];
      if (std::isnan(numpys)) {
        ASSERT_TRUE(std::isnan(ours)) << i;
      } else {
        ASSERT_EQ(std::bit_cast<std::uint32_t>(ours), std::bit_cast<std::uint32_t>(numpys)) << i;
      }
    }
  }
}

// The agreement with update_reader.py.

UpdateHeader AgreedHeader() {
  return {.job = {"numeric-1"},
          .assignment = {123'456'789'012},
          .base = {7},
          .layout = Sha256("layout"),
          .codec = "fp32",
          .groups = {{"control", 8'192}, {"delta", 20'000}},
          .scalars = {{"examples", 600.0}, {"loss before", -0.1}, {"tiny", 5e-324}}};
}

std::vector<std::vector<float>> AgreedTiles() {
  std::vector<std::vector<float>> tiles;
  for (std::uint64_t place = 0; place < 2; ++place) {
    const std::uint64_t count = place == 0 ? 8'192 : 20'000;
    for (std::uint64_t i = 0; i < count; ++i) {
      if (i % 8'192 == 0) tiles.emplace_back();
      const auto number = static_cast<double>((i * 37 + place * 1'009) % 65'521);
      tiles.back().push_back(static_cast<float>(number / 4'096 - 8));
    }
  }
  return tiles;
}

TEST_F(FormatsTest, PythonReadsTheUpdateThatWeWrite) {
  ASSERT_OK_AND_ASSIGN(const Codec* codec, FindCodec("fp32"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::uint8_t> header, EncodeUpdateHeader(AgreedHeader()));
  RandomStream random(1, RandomPurpose::kTest, 0);
  std::vector<TileEntry> entries;
  std::vector<std::uint8_t> tiles;
  for (const std::vector<float>& values : AgreedTiles()) {
    const std::size_t before = tiles.size();
    ASSERT_OK(codec->EncodeTile(values, random, tiles));
    entries.push_back({static_cast<std::uint32_t>(tiles.size() - before),
                       Sha256(absl::MakeSpan(tiles).subspan(before))});
  }
  const std::vector<std::uint8_t> table = EncodeTileTable(entries);
  std::vector<std::uint8_t> update = header;
  update.insert(update.end(), table.begin(), table.end());
  update.insert(update.end(), tiles.begin(), tiles.end());
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Open(path_, FileSystem::Mode::kCreate));
  ASSERT_OK(file->WriteAt(0, update));

  EXPECT_EQ(Python("update_reader.py", "check"), UpdateDigest(header, table).ToHex());
}

TEST_F(FormatsTest, WeReadTheUpdateThatPythonWrites) {
  const std::string digest = Python("update_reader.py", "write");
  ASSERT_OK_AND_ASSIGN(const auto file, files_.Open(path_, FileSystem::Mode::kRead));
  std::vector<std::uint8_t> update(static_cast<std::size_t>(*file->size()));
  ASSERT_OK(file->ReadAt(0, absl::MakeSpan(update)));
  absl::Span<const std::uint8_t> left(update);
  const auto take = [&left](std::int64_t count) {
    const auto part = left.first(static_cast<std::size_t>(count));
    left.remove_prefix(part.size());
    return part;
  };

  ASSERT_OK_AND_ASSIGN(const std::int64_t header_bytes, UpdateHeaderBytes(left.first(12)));
  const auto header = take(header_bytes);
  const auto table = take(4 * kTileEntryBytes);
  ASSERT_OK_AND_ASSIGN(const UpdateHeader decoded, DecodeUpdateHeader(header));
  ASSERT_OK_AND_ASSIGN(const std::vector<TileEntry> entries, DecodeTileTable(table));

  EXPECT_EQ(decoded, AgreedHeader());
  EXPECT_EQ(UpdateDigest(header, table).ToHex(), digest);
  ASSERT_EQ(decoded.tiles(), 4);
  ASSERT_OK_AND_ASSIGN(const Codec* codec, FindCodec(decoded.codec));
  const auto expected = AgreedTiles();
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto tile = take(entries[i].bytes);
    EXPECT_EQ(Sha256(tile), entries[i].digest);
    std::vector<float> values(static_cast<std::size_t>(decoded.tile_values(i)));
    ASSERT_OK(codec->DecodeTile(tile, absl::MakeSpan(values)));
    EXPECT_EQ(values, expected[i]);
  }
  EXPECT_TRUE(left.empty());
}

}  // namespace
}  // namespace fed
