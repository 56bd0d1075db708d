// Named tensors and their element types.
#include "fed/parameters.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::StatusIs;

TEST(DtypeTest, GoesThroughItsName) {
  for (int i = 0; i <= static_cast<int>(Dtype::kBool); ++i) {
    const auto dtype = static_cast<Dtype>(i);
    EXPECT_THAT(DtypeFromName(DtypeName(dtype)), IsOkAndHolds(dtype));
  }
  EXPECT_EQ(DtypeName(Dtype::kBF16), "BF16");
  EXPECT_EQ(DtypeName(Dtype::kBool), "BOOL");
  EXPECT_EQ(DtypeBytes(Dtype::kF64), 8u);
  EXPECT_EQ(DtypeBytes(Dtype::kU16), 2u);
}

TEST(DtypeTest, NamesTheKnownOnesWhenItRefusesOne) {
  EXPECT_THAT(DtypeFromName("F8_E4M3"),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("F8_E4M3 is not one of F32, F16")));
  EXPECT_THAT(DtypeFromName("f32"), StatusIs(StatusCode::kInvalidArgument));
}

TEST(DtypeTest, IsTrainableIfItIsAFloatOfAtMost32Bits) {
  EXPECT_TRUE(IsTrainableDtype(Dtype::kF32));
  EXPECT_TRUE(IsTrainableDtype(Dtype::kF16));
  EXPECT_TRUE(IsTrainableDtype(Dtype::kBF16));
  EXPECT_FALSE(IsTrainableDtype(Dtype::kF64));
  EXPECT_FALSE(IsTrainableDtype(Dtype::kI64));
  EXPECT_FALSE(IsTrainableDtype(Dtype::kBool));
}

TEST(TensorInfoTest, CountsItsElements) {
  EXPECT_EQ((TensorInfo{"s", Dtype::kF32, {}}).elements(), 1);
  EXPECT_EQ((TensorInfo{"e", Dtype::kF32, {3, 0}}).elements(), 0);
  EXPECT_EQ((TensorInfo{"m", Dtype::kF32, {200, 784}}).elements(), 156'800);
  EXPECT_EQ(ToString(TensorInfo{"fc1.weight", Dtype::kF32, {200, 784}}),
            "fc1.weight F32 [200, 784]");
}

TEST(ParametersTest, HoldsTensorsOfZerosInOrder) {
  Parameters parameters;
  ASSERT_OK(parameters.Add({"w", Dtype::kBF16, {2, 3}}));
  ASSERT_OK(parameters.Add({"steps", Dtype::kI64, {}}));

  ASSERT_EQ(parameters.size(), 2u);
  EXPECT_EQ(parameters.info(0).name, "w");
  EXPECT_EQ(parameters.values(0).size(), 6u);
  EXPECT_THAT(parameters.values(0), Each(0.0f));
  EXPECT_EQ(parameters.bytes(1).size(), 8u);
  EXPECT_EQ(parameters.Find("steps"), 1u);
  EXPECT_EQ(parameters.Find("bias"), std::nullopt);
}

TEST(ParametersTest, ClonesToBuffersOfItsOwn) {
  Parameters parameters;
  ASSERT_OK(parameters.Add({"w", Dtype::kF32, {2}}));

  Parameters clone = parameters.Clone();
  clone.values(0)[1] = 5.0f;

  EXPECT_EQ(parameters.values(0)[1], 0.0f);
  EXPECT_EQ(clone.info(0), parameters.info(0));
}

TEST(ParametersTest, RefusesWhatNoFileCouldHold) {
  constexpr auto kMost = std::numeric_limits<std::int64_t>::max();
  Parameters parameters;
  ASSERT_OK(parameters.Add({"w", Dtype::kF32, {2}}));

  EXPECT_THAT(parameters.Add({"w", Dtype::kF32, {3}}),
              StatusIs(StatusCode::kInvalidArgument, "tensor w is there already"));
  EXPECT_THAT(parameters.Add({"", Dtype::kF32, {3}}),
              StatusIs(StatusCode::kInvalidArgument, "a tensor without a name"));
  EXPECT_THAT(parameters.Add({std::string(513, 'x'), Dtype::kF32, {3}}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("513 bytes")));
  EXPECT_THAT(parameters.Add({"a", Dtype::kF32, {2, -1}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("negative dimension")));
  EXPECT_THAT(parameters.Add({"a", Dtype::kF32, {kMost, 2}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("overflows 64 bits")));
  EXPECT_THAT(parameters.Add({"a", Dtype::kF32, {kMost, 2, 0}}),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("overflows 64 bits")));
  EXPECT_THAT(parameters.Add({"a", Dtype::kF32, std::vector<std::int64_t>(9, 1)}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("9 dimensions: at most 8")));
  EXPECT_EQ(parameters.size(), 1u);
}

TEST(ParametersTest, SaysThatMemoryIsNotEnough) {
  Parameters parameters;
  // Countable in the file's two bytes a value, but not in the four bytes that F32 takes in memory.
  EXPECT_THAT(parameters.Add({"a", Dtype::kF16, {std::int64_t{1} << 61}}),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("no memory for tensor a F16")));
}

}  // namespace
}  // namespace fed
