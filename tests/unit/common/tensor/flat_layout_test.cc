// Roles of tensors, and flat values in files.
#include "common/tensor/flat_layout.h"

#include <gtest/gtest.h>

#include "common/base/bytes.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::ElementsAre;
using testing::FakeFiles;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using testing::StatusIs;

TEST(PatternTest, TakesAStarForAnyRun) {
  EXPECT_TRUE(MatchesPattern("fc1.weight", "fc1.weight"));
  EXPECT_FALSE(MatchesPattern("fc1.weight", "fc1.weights"));
  EXPECT_FALSE(MatchesPattern("fc1.weight", "xfc1.weight"));
  EXPECT_TRUE(MatchesPattern("*", ""));
  EXPECT_TRUE(MatchesPattern("fc*", "fc"));
  EXPECT_TRUE(MatchesPattern("*.bias", "block.3.bias"));
  EXPECT_FALSE(MatchesPattern("*.bias", "block.3.bias2"));
  EXPECT_TRUE(MatchesPattern("a*b*c", "aXbXbXc")) << "a later star takes more";
  EXPECT_TRUE(MatchesPattern("**a", "bba"));
  EXPECT_FALSE(MatchesPattern("a*b*c", "aXcXb"));
  EXPECT_FALSE(MatchesPattern("fc1?weight", "fc1.weight")) << "all else stands for itself";
  EXPECT_TRUE(MatchesPattern("", ""));
  EXPECT_FALSE(MatchesPattern("", "a"));
}

TEST(PatternTest, IsNotSlowOnManyStars) {
  EXPECT_FALSE(MatchesPattern("*a*a*a*a*a*a*a*a*a*a*b", std::string(10'000, 'a')));
}

TEST(RoleTest, IsLocalBeforeFrozenBeforeTrainable) {
  const RolePatterns patterns = {.frozen = {"conv*"}, .local = {"*.norm"}};
  EXPECT_EQ(RoleOf({"conv1.norm", Dtype::kF32, {}}, patterns), TensorRole::kLocal);
  EXPECT_EQ(RoleOf({"conv1.weight", Dtype::kF32, {}}, patterns), TensorRole::kFrozen);
  EXPECT_EQ(RoleOf({"fc.weight", Dtype::kBF16, {}}, patterns), TensorRole::kTrainable);
  EXPECT_EQ(RoleOf({"fc.steps", Dtype::kI64, {}}, patterns), TensorRole::kFrozen);
  EXPECT_EQ(RoleOf({"fc.scale", Dtype::kF64, {}}, patterns), TensorRole::kFrozen);
}

std::vector<TensorInfo> MixedTensors() {
  return {{"a", Dtype::kF32, {2, 3}}, {"steps", Dtype::kI64, {2}}, {"b", Dtype::kF16, {4}},
          {"none", Dtype::kF32, {0}}, {"c", Dtype::kBF16, {}},     {"frozen", Dtype::kF32, {5}}};
}

FlatLayout MixedLayout() {
  auto layout = FlatLayout::Make(MixedTensors(), {.frozen = {"frozen"}, .local = {}});
  EXPECT_OK(layout.status());
  return *std::move(layout);
}

TEST(FlatLayoutTest, LaysTrainableTensorsEndToEnd) {
  const FlatLayout layout = MixedLayout();

  EXPECT_EQ(layout.values(), 11);
  EXPECT_EQ(layout.tiles(), 1);
  ASSERT_THAT(layout.parts(), SizeIs(4));
  EXPECT_EQ(layout.parts()[0].first, 0);
  EXPECT_EQ(layout.parts()[1].info.name, "b");
  EXPECT_EQ(layout.parts()[1].tensor, 2u);
  EXPECT_EQ(layout.parts()[1].first, 6);
  EXPECT_EQ(layout.parts()[3].info.name, "c");
  EXPECT_EQ(layout.parts()[3].first, 10);
}

TEST(FlatLayoutTest, CountsTilesUp) {
  const auto tiles = [](std::int64_t values) {
    return FlatLayout::Make({TensorInfo{"a", Dtype::kF32, {values}}}, {})->tiles();
  };
  EXPECT_EQ(tiles(1), 1);
  EXPECT_EQ(tiles(8'192), 1);
  EXPECT_EQ(tiles(8'193), 2);
}

TEST(FlatLayoutTest, DigestsNamesDtypesAndShapes) {
  std::vector<std::uint8_t> bytes;
  ByteWriter writer(bytes);
  writer.ShortText("w");
  writer.U8(2);  // BF16
  writer.U8(2);
  writer.I64(3);
  writer.I64(4);

  ASSERT_OK_AND_ASSIGN(const FlatLayout layout,
                       FlatLayout::Make({TensorInfo{"w", Dtype::kBF16, {3, 4}}}, {}));

  EXPECT_EQ(layout.digest(), Sha256(bytes));
}

TEST(FlatLayoutTest, RefusesATypoInAPattern) {
  EXPECT_THAT(
      FlatLayout::Make(MixedTensors(), {.frozen = {"frozen", "fc9.*"}, .local = {}}).status(),
      StatusIs(StatusCode::kInvalidArgument,
               "frozen pattern \"fc9.*\" matches no tensor of the model"));
  EXPECT_THAT(FlatLayout::Make(MixedTensors(), {.frozen = {}, .local = {"x"}}).status(),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("local pattern \"x\"")));
}

TEST(FlatLayoutTest, RefusesAModelWithNothingToTrain) {
  EXPECT_THAT(FlatLayout::Make(MixedTensors(), {.frozen = {"*"}, .local = {}}).status(),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("nothing to train: none of the model's 6 tensors")));
}

TEST(FlatLayoutTest, VisitsTheRunsOfEachRange) {
  const FlatLayout layout = MixedLayout();
  for (std::int64_t first = 0; first < layout.values(); ++first) {
    for (std::int64_t count = 0; count <= layout.values() - first; ++count) {
      std::vector<std::int64_t> seen;
      layout.ForEachRun(first, count,
                        [&](const FlatLayout::Part& part, std::int64_t within, std::int64_t here,
                            std::int64_t place) {
                          EXPECT_EQ(place, static_cast<std::int64_t>(seen.size()));
                          EXPECT_GT(here, 0);
                          EXPECT_LE(within + here, part.info.elements());
                          for (std::int64_t i = 0; i < here; ++i)
                            seen.push_back(part.first + within + i);
                        });
      ASSERT_EQ(static_cast<std::int64_t>(seen.size()), count);
      for (std::int64_t i = 0; i < count; ++i) ASSERT_EQ(seen[i], first + i);
    }
  }
}

class FlatFileTest : public ::testing::Test {
 protected:
  void Make(const std::vector<TensorInfo>& tensors) {
    Parameters parameters;
    for (const TensorInfo& tensor : tensors) ASSERT_OK(parameters.Add(tensor));
    float value = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      for (float& v : parameters.values(i)) v = ++value;
      for (std::uint8_t& b : parameters.bytes(i)) b = 0xEE;
    }
    ASSERT_OK(SaveSafetensors(files_, "/m", parameters));
    ASSERT_OK_AND_ASSIGN(file_, files_.Open("/m", FileSystem::Mode::kReadWrite));
    ASSERT_OK_AND_ASSIGN(header_, ReadSafetensorsHeader(*file_));
  }

  FakeFiles files_;
  std::unique_ptr<File> file_;
  SafetensorsHeader header_;
};

TEST_F(FlatFileTest, ReadsValuesOverTensorBorders) {
  Make(MixedTensors());
  std::vector<float> all(11), middle(6);

  ASSERT_OK(ReadFlat(*file_, header_, MixedLayout(), 0, absl::MakeSpan(all)));
  ASSERT_OK(ReadFlat(*file_, header_, MixedLayout(), 5, absl::MakeSpan(middle)));

  EXPECT_THAT(all, ElementsAre(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11));
  EXPECT_THAT(middle, ElementsAre(6, 7, 8, 9, 10, 11));
}

TEST_F(FlatFileTest, WritesRoundedValuesAndTouchesNothingElse) {
  Make(MixedTensors());

  ASSERT_OK(
      WriteFlat(*file_, header_, MixedLayout(), 5, {-1.0f, 2049.0f, 0.1f, 0.0f, 0.0f, 257.0f}));

  ASSERT_OK_AND_ASSIGN(const Parameters after, LoadSafetensors(files_, "/m"));
  EXPECT_THAT(after.values(0), ElementsAre(1, 2, 3, 4, 5, -1));
  EXPECT_THAT(after.bytes(1), ::testing::Each(0xEE));
  EXPECT_THAT(after.values(2), ElementsAre(2048.0f, 0.0999755859375f, 0, 0)) << "as F16 has it";
  EXPECT_THAT(after.values(4), ElementsAre(256.0f)) << "as BF16 has it, a tie to even";
  EXPECT_THAT(after.values(5), ElementsAre(12, 13, 14, 15, 16));
}

TEST_F(FlatFileTest, FindsTensorsByNameInAFileOfAnotherOrder) {
  auto reversed = MixedTensors();
  std::reverse(reversed.begin(), reversed.end());
  Make(reversed);  // frozen 1-5, c 6, b 7-10, a 11-16
  std::vector<float> all(11);

  ASSERT_OK(ReadFlat(*file_, header_, MixedLayout(), 0, absl::MakeSpan(all)));

  EXPECT_THAT(all, ElementsAre(11, 12, 13, 14, 15, 16, 7, 8, 9, 10, 6));
}

TEST_F(FlatFileTest, NamesTheTensorThatIsMissingOrOther) {
  std::vector<float> all(11);
  Make({{"a", Dtype::kF32, {2, 3}}, {"b", Dtype::kF32, {4}}});
  EXPECT_THAT(
      ReadFlat(*file_, header_, MixedLayout(), 0, absl::MakeSpan(all)),
      StatusIs(StatusCode::kInvalidArgument, "the file has tensor b F32 [4]: expected b F16 [4]"));
  Make({{"a", Dtype::kF32, {2, 3}}});
  EXPECT_THAT(WriteFlat(*file_, header_, MixedLayout(), 0, all),
              StatusIs(StatusCode::kInvalidArgument, "the file has no tensor b F16 [4]"));
}

TEST_F(FlatFileTest, ReportsAFileThatWasCutOff) {
  Make(MixedTensors());
  ASSERT_OK(file_->Truncate(header_.header_bytes + 10));
  std::vector<float> all(11);
  EXPECT_THAT(ReadFlat(*file_, header_, MixedLayout(), 0, absl::MakeSpan(all)),
              StatusIs(StatusCode::kOutOfRange));
}

}  // namespace
}  // namespace fed
