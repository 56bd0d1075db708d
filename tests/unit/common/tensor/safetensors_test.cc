// Files made by hand, and every way in which a file can be wrong.
#include "common/tensor/safetensors.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::ElementsAre;
using testing::FakeFiles;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::StatusIs;

// The bytes of a file with this header and so many bytes of data.
std::string FileOf(const std::string& json, std::size_t data_bytes) {
  std::vector<std::uint8_t> length;
  ByteWriter(length).U64(json.size());
  std::string file = absl::StrCat(AsText(length), json);
  for (std::size_t i = 0; i < data_bytes; ++i) file.push_back(static_cast<char>(i));
  return file;
}

StatusOr<SafetensorsHeader> ReadHeaderOf(const std::string& contents) {
  FakeFiles files;
  FED_ASSIGN_OR_RETURN(const auto file, files.Open("/a", FileSystem::Mode::kCreate));
  FED_RETURN_IF_ERROR(file->WriteAt(0, AsBytes(contents)));
  return ReadSafetensorsHeader(*file);
}

TEST(SafetensorsHeaderTest, ReadsAFileMadeByHand) {
  // Out of order in the text, padded, with metadata: as other writers make them.
  const std::string json = R"({"b":{"dtype":"I64","shape":[],"data_offsets":[8,16]},)"
                           R"("__metadata__":{"format":"pt"},)"
                           R"("a":{"shape":[2,2],"dtype":"BF16","data_offsets":[0,8]}}   )";

  ASSERT_OK_AND_ASSIGN(const SafetensorsHeader header, ReadHeaderOf(FileOf(json, 16)));

  ASSERT_THAT(header.entries, SizeIs(2));
  EXPECT_EQ(header.entries[0].info, (TensorInfo{"a", Dtype::kBF16, {2, 2}}));
  EXPECT_EQ(header.entries[0].offset, static_cast<std::int64_t>(8 + json.size()));
  EXPECT_EQ(header.entries[0].bytes, 8);
  EXPECT_EQ(header.entries[1].info, (TensorInfo{"b", Dtype::kI64, {}}));
  EXPECT_EQ(header.entries[1].offset, static_cast<std::int64_t>(8 + json.size() + 8));
  EXPECT_THAT(header.metadata, ElementsAre(Pair("format", "pt")));
  EXPECT_EQ(header.header_bytes, static_cast<std::int64_t>(8 + json.size()));
  EXPECT_EQ(header.file_bytes, static_cast<std::int64_t>(8 + json.size() + 16));
}

TEST(SafetensorsHeaderTest, ReadsEmptyTensorsAndEmptyFiles) {
  ASSERT_OK_AND_ASSIGN(
      const SafetensorsHeader header,
      ReadHeaderOf(FileOf(R"({"full":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                          R"("none":{"dtype":"F32","shape":[0,7],"data_offsets":[0,0]}})",
                          3)));
  EXPECT_EQ(header.entries[0].info.name, "none");
  EXPECT_EQ(header.entries[1].info.name, "full");
  EXPECT_THAT(ReadHeaderOf(FileOf("{}", 0))->entries, SizeIs(0));
}

TEST(SafetensorsHeaderTest, ReadsEscapedNames) {
  ASSERT_OK_AND_ASSIGN(
      const SafetensorsHeader header,
      ReadHeaderOf(
          FileOf(R"({"a\"\u00e9\n":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", 1)));
  EXPECT_EQ(header.entries[0].info.name, "a\"\xC3\xA9\n");
}

std::string OneTensor(const std::string& fields) { return "{\"a\":{" + fields + "}}"; }

struct BadFile {
  const char* name;
  std::string contents;
  StatusCode code;
  const char* message;
};

class BadFileTest : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadFileTest, IsRefusedWithWhatIsWrong) {
  EXPECT_THAT(ReadHeaderOf(GetParam().contents),
              StatusIs(GetParam().code, HasSubstr(GetParam().message)));
}

BadFile Lost(const char* name, std::string contents, const char* message) {
  return {name, std::move(contents), StatusCode::kDataLoss, message};
}

INSTANTIATE_TEST_SUITE_P(
    Length, BadFileTest,
    ::testing::Values(
        Lost("Empty", "", "cut off: 0 bytes"), Lost("SevenBytes", "1234567", "cut off: 7 bytes"),
        Lost("CutOffInTheHeader", FileOf("{}", 0).substr(0, 9), "cut off: header of 2 bytes"),
        Lost("HugeHeader", std::string("\0\0\0\0\0\0\0\x80", 8), "at most 100000000 are read"),
        Lost("HeaderOfAllOnes", std::string(8, '\xFF'), "header of 18446744073709551615 bytes"),
        Lost("NoHeader", std::string(8, '\0'), "does not begin with '{'"),
        Lost("DataCutOff",
             FileOf(OneTensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 7),
             "cut off: tensor a F32 [2] ends at offset 8, the data at 7"),
        Lost("DataAfterTheEnd",
             FileOf(OneTensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8])"), 9),
             "1 bytes after the last tensor"),
        Lost("DataWithoutTensors", FileOf("{}", 1), "1 bytes after the last tensor")),
    [](const auto& about) { return std::string(about.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Json, BadFileTest,
    ::testing::Values(
        Lost("SpaceBefore", FileOf(" {}", 0), "does not begin with '{'"),
        Lost("Array", FileOf("[]", 0), "does not begin with '{'"),
        Lost("Unclosed", FileOf("{", 0), "not valid JSON"),
        Lost("Trailing", FileOf("{} x", 0), "not valid JSON"),
        Lost("TwoObjects", FileOf("{}{}", 0), "not valid JSON"),
        Lost("ZeroPadding", FileOf(std::string("{}\0\0", 4), 0), "not valid JSON at byte 3"),
        Lost("Comment", FileOf("{/**/}", 0), "not valid JSON"),
        Lost("NotUtf8", FileOf("{\"\xFF\":{}}", 0), "not valid JSON"),
        Lost("HalfASurrogate", FileOf(R"({"\ud800":{}})", 0), "not valid JSON"),
        Lost("TrailingComma", FileOf(R"({"a":{},})", 0), "lacks dtype, shape or data_offsets"),
        Lost("NumberForTensor", FileOf(R"({"a":1})", 0), "a number at \"a\" is not part"),
        Lost("ArrayForTensor", FileOf(R"({"a":[]})", 0), "an array at \"a\" is not part"),
        Lost("NullForTensor", FileOf(R"({"a":null})", 0), "null at \"a\" is not part"),
        Lost("NumberInMetadata", FileOf(R"({"__metadata__":{"k":1}})", 0), "a number at \"k\""),
        Lost("ObjectInMetadata", FileOf(R"({"__metadata__":{"k":{}}})", 0), "an object at \"k\""),
        Lost("MetadataIsText", FileOf(R"({"__metadata__":"x"})", 0), "a string at"),
        Lost("MetadataTwice", FileOf(R"({"__metadata__":{},"__metadata__":{}})", 0),
             "\"__metadata__\" stands there twice"),
        Lost("MetadataKeyTwice", FileOf(R"({"__metadata__":{"k":"1","k":"2"}})", 0),
             "\"k\" stands there twice"),
        Lost("DeepNesting", FileOf("{\"a\":" + std::string(100'000, '['), 0), "an array at \"a\"")),
    [](const auto& about) { return std::string(about.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Tensors, BadFileTest,
    ::testing::Values(
        Lost("NameTwice",
             FileOf(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                    R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
                    2),
             "\"a\" stands there twice"),
        Lost("FieldTwice", FileOf(OneTensor(R"("dtype":"U8","dtype":"U8")"), 0),
             "\"dtype\" stands there twice"),
        Lost("FieldMissing", FileOf(OneTensor(R"("dtype":"U8","shape":[])"), 0),
             "tensor a lacks dtype, shape or data_offsets"),
        Lost("FieldUnknown", FileOf(OneTensor(R"("dtype":"U8","order":"C")"), 0),
             "a string at \"order\" is not part of the format"),
        Lost("OneOffset", FileOf(OneTensor(R"("dtype":"U8","shape":[],"data_offsets":[0])"), 1),
             "data_offsets of tensor a are not two numbers"),
        Lost("ThreeOffsets",
             FileOf(OneTensor(R"("dtype":"U8","shape":[],"data_offsets":[0,1,2])"), 1),
             "data_offsets of tensor a are not two numbers"),
        Lost("NegativeOffset",
             FileOf(OneTensor(R"("dtype":"U8","shape":[],"data_offsets":[-1,0])"), 1),
             "a negative number at \"data_offsets\""),
        Lost("FractionalShape", FileOf(OneTensor(R"("dtype":"U8","shape":[1.0])"), 1),
             "a number with a fraction at \"shape\""),
        Lost("HugeShape", FileOf(OneTensor(R"("dtype":"U8","shape":[9223372036854775808])"), 1),
             "a number above 2^63 - 1 at \"shape\""),
        Lost("HugerShape",
             FileOf(OneTensor(R"("dtype":"U8","shape":[99999999999999999999999])"), 1),
             "a number with a fraction"),
        Lost("NestedShape", FileOf(OneTensor(R"("dtype":"U8","shape":[[1]])"), 1), "an array at"),
        Lost("OverflowingShape",
             FileOf(OneTensor(R"("dtype":"U8","shape":[4294967296,4294967296],)"
                              R"("data_offsets":[0,0])"),
                    0),
             "its size overflows 64 bits"),
        Lost("OverflowHiddenByAZero",
             FileOf(OneTensor(R"("dtype":"U8","shape":[4294967296,4294967296,0],)"
                              R"("data_offsets":[0,0])"),
                    0),
             "its size overflows 64 bits"),
        Lost("ShapeDoesNotFit",
             FileOf(OneTensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4])"), 4),
             "tensor a F32 [2] has offsets 0 to 4: expected 8 bytes"),
        Lost("OffsetsBackwards",
             FileOf(OneTensor(R"("dtype":"U8","shape":[0],"data_offsets":[1,0])"), 1),
             "has offsets 1 to 0"),
        Lost("Overlap",
             FileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
                    3),
             "overlap before tensor b U8 [2] at offset 1: expected 2"),
        Lost("Gap",
             FileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                    R"("b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}})",
                    5),
             "gap before tensor b U8 [2] at offset 3: expected 2"),
        Lost("GapAtTheStart",
             FileOf(OneTensor(R"("dtype":"U8","shape":[1],"data_offsets":[1,2])"), 2),
             "gap before tensor a"),
        Lost("NoName", FileOf(R"({"":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", 1),
             "a tensor without a name"),
        BadFile{"UnknownDtype", FileOf(OneTensor(R"("dtype":"F8_E4M3")"), 0),
                StatusCode::kUnimplemented, "tensor a: dtype F8_E4M3 is not one of F32"},
        BadFile{"NineDimensions",
                FileOf(OneTensor(R"("dtype":"U8","shape":[1,1,1,1,1,1,1,1,1])"), 0),
                StatusCode::kResourceExhausted, "tensor a has more than 8 dimensions"},
        BadFile{"LongName",
                FileOf("{\"" + std::string(513, 'n') +
                           R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                       1),
                StatusCode::kResourceExhausted, "tensor name of 513 bytes"}),
    [](const auto& about) { return std::string(about.param.name); });

TEST(SafetensorsHeaderTest, RefusesTooManyTensors) {
  std::string json = "{";
  for (int i = 0; i <= kMaxTensors; ++i) {
    absl::StrAppend(&json, i == 0 ? "" : ",", "\"", i,
                    R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})");
  }
  EXPECT_THAT(ReadHeaderOf(FileOf(json + "}", 0)),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("more than 100000 tensors")));
}

TEST(SafetensorsHeaderTest, WritesTheCanonicalForm) {
  const std::vector<TensorInfo> tensors = {{"z", Dtype::kF32, {2, 3}}, {"a", Dtype::kBool, {}}};

  ASSERT_OK_AND_ASSIGN(const std::string header, MakeSafetensorsHeader(tensors, {{"k", "v\n"}}));

  const std::string json = R"({"__metadata__":{"k":"v\n"},)"
                           R"("z":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                           R"("a":{"dtype":"BOOL","shape":[],"data_offsets":[24,25]}})";
  EXPECT_EQ(header.size() % 8, 0u);
  EXPECT_EQ(header, FileOf(json + std::string(header.size() - 8 - json.size(), ' '), 0));
  EXPECT_LT(header.size() - 8 - json.size(), 8u);
}

TEST(SafetensorsHeaderTest, RefusesToWriteWhatItWouldNotRead) {
  const auto make = [](std::vector<TensorInfo> tensors) {
    return MakeSafetensorsHeader(tensors, {}).status();
  };
  EXPECT_THAT(make({{"a", Dtype::kF32, {}}, {"a", Dtype::kF32, {}}}),
              StatusIs(StatusCode::kInvalidArgument, "tensor name a is taken"));
  EXPECT_THAT(make({{"__metadata__", Dtype::kF32, {}}}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(make({{"\xFF", Dtype::kF32, {}}}),
              StatusIs(StatusCode::kInvalidArgument, "\"\\xff\" is not UTF-8"));
  EXPECT_THAT(make({{"a", Dtype::kU8, {INT64_MAX}}, {"b", Dtype::kU8, {1}}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("overflows 64 bits")));
}

Parameters MixedParameters() {
  Parameters parameters;
  EXPECT_OK(parameters.Add({"conv.weight", Dtype::kF32, {2, 2}}));
  EXPECT_OK(parameters.Add({"half", Dtype::kF16, {3}}));
  EXPECT_OK(parameters.Add({"brain", Dtype::kBF16, {1}}));
  EXPECT_OK(parameters.Add({"steps", Dtype::kI64, {}}));
  for (int i = 0; i < 4; ++i) parameters.values(0)[i] = 0.5f * i - 1;
  for (int i = 0; i < 3; ++i) parameters.values(1)[i] = 0.25f * i;
  parameters.values(2)[0] = -3.0f;
  parameters.bytes(3)[0] = 9;
  return parameters;
}

TEST(SafetensorsFileTest, SavesAndLoads) {
  FakeFiles files;
  const Parameters saved = MixedParameters();

  ASSERT_OK(SaveSafetensors(files, "/m.safetensors", saved, {{"job", "demo"}}));
  files.Crash();
  ASSERT_OK_AND_ASSIGN(const Parameters loaded, LoadSafetensors(files, "/m.safetensors"));

  ASSERT_EQ(loaded.size(), 4u);
  for (std::size_t i = 0; i < loaded.size(); ++i) EXPECT_EQ(loaded.info(i), saved.info(i));
  EXPECT_THAT(loaded.values(0), ElementsAre(-1.0f, -0.5f, 0.0f, 0.5f));
  EXPECT_THAT(loaded.values(1), ElementsAre(0.0f, 0.25f, 0.5f));
  EXPECT_THAT(loaded.values(2), ElementsAre(-3.0f));
  EXPECT_THAT(loaded.bytes(3), ElementsAre(9, 0, 0, 0, 0, 0, 0, 0));
  EXPECT_THAT(files.List("/"), IsOkAndHolds(ElementsAre("m.safetensors")));
}

TEST(SafetensorsFileTest, LoadsTensorsLargerThanABlock) {
  FakeFiles files;
  Parameters saved;
  ASSERT_OK(saved.Add({"big", Dtype::kF16, {600'001}}));
  for (std::size_t i = 0; i < 600'001; ++i) saved.values(0)[i] = static_cast<float>(i % 1'000);

  ASSERT_OK(SaveSafetensors(files, "/m", saved));
  ASSERT_OK_AND_ASSIGN(const Parameters loaded, LoadSafetensors(files, "/m"));

  EXPECT_TRUE(std::equal(saved.values(0).begin(), saved.values(0).end(), loaded.values(0).begin(),
                         loaded.values(0).end()));
}

TEST(SafetensorsFileTest, NamesTheFileThatIsWrong) {
  FakeFiles files;
  ASSERT_OK(WriteFileDurably(files, "/bad", "x"));
  EXPECT_THAT(LoadSafetensors(files, "/bad").status(),
              StatusIs(StatusCode::kDataLoss, "/bad: safetensors file: cut off: 1 bytes"));
  EXPECT_THAT(LoadSafetensors(files, "/none").status(), StatusIs(StatusCode::kNotFound));
}

TEST(SafetensorsFileTest, LeavesTheOldFileWhenSavingFails) {
  FakeFiles files;
  ASSERT_OK(SaveSafetensors(files, "/m", MixedParameters()));
  ASSERT_OK_AND_ASSIGN(const std::string before, ReadFile(files, "/m", 10'000));

  files.FailAt(4, StatusCode::kResourceExhausted);
  Parameters other;
  ASSERT_OK(other.Add({"w", Dtype::kF32, {5}}));
  EXPECT_THAT(SaveSafetensors(files, "/m", other), StatusIs(StatusCode::kResourceExhausted));

  EXPECT_THAT(ReadFile(files, "/m", 10'000), IsOkAndHolds(before));
  EXPECT_THAT(files.List("/"), IsOkAndHolds(ElementsAre("m")));
}

}  // namespace
}  // namespace fed
