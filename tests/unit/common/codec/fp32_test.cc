// The codec fp32, and the table that finds it.
#include "common/codec/fp32.h"

#include <gtest/gtest.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::StatusIs;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Bytes = std::vector<std::uint8_t>;

class Fp32Test : public ::testing::Test {
 protected:
  Status Encode(const std::vector<float>& values, Bytes& out) {
    RandomStream random(1, RandomPurpose::kTest, 0);
    return codec_.EncodeTile(values, random, out);
  }
  Fp32Codec codec_;
};

TEST_F(Fp32Test, AppendsValuesAsTheyAre) {
  Bytes out = {0xAA};
  ASSERT_OK(Encode({1.0f, -2.0f, -0.0f}, out));
  EXPECT_EQ(ToHex(out),
            "aa"
            "0000803f"
            "000000c0"
            "00000080");
  EXPECT_EQ(codec_.MaxTileBytes(3), 12u);
}

TEST_F(Fp32Test, DecodesWhatItEncoded) {
  const std::vector<float> values = {0.1f, std::numeric_limits<float>::max(),
                                     std::numeric_limits<float>::denorm_min(), -7.0f};
  Bytes bytes;
  std::vector<float> decoded(values.size());

  ASSERT_OK(Encode(values, bytes));
  ASSERT_OK(codec_.DecodeTile(bytes, absl::MakeSpan(decoded)));

  EXPECT_EQ(decoded, values);
}

TEST_F(Fp32Test, RefusesToEncodeWhatIsNotFinite) {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    Bytes out = {1, 2};
    EXPECT_THAT(Encode({0, 0, bad, bad}, out),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("value 2 of the tile is")));
    EXPECT_THAT(out, ElementsAre(1, 2)) << "unchanged";
  }
}

TEST_F(Fp32Test, RefusesToDecodeWhatIsNotFinite) {
  for (const char* bad : {"0000c07f", "0000807f", "000080ff", "010080ff"}) {
    ASSERT_OK_AND_ASSIGN(Bytes bytes, FromHex(std::string("0000803f") + bad));
    std::vector<float> out(2);
    EXPECT_THAT(codec_.DecodeTile(bytes, absl::MakeSpan(out)),
                StatusIs(StatusCode::kDataLoss, HasSubstr("value 1 of the fp32 tile is")));
  }
}

TEST_F(Fp32Test, RefusesBytesOfAnotherLength) {
  std::vector<float> out(2);
  for (const std::size_t size : {0, 7, 9, 12}) {
    EXPECT_THAT(codec_.DecodeTile(Bytes(size), absl::MakeSpan(out)),
                StatusIs(StatusCode::kDataLoss,
                         absl::StrCat("fp32 tile of ", size, " bytes: expected 8 (2 floats)")));
  }
}

TEST(CodecTableTest, FindsEachCodecByItsName) {
  ASSERT_OK_AND_ASSIGN(const Codec* codec, FindCodec("fp32"));
  EXPECT_EQ(codec->name(), "fp32");
  EXPECT_TRUE(codec->unbiased());
}

TEST(CodecTableTest, SaysWhichThereAre) {
  EXPECT_THAT(FindCodec("int9"),
              StatusIs(StatusCode::kNotFound, "this build has no codec \"int9\"; it has: fp32"));
  EXPECT_THAT(FindCodec(""), StatusIs(StatusCode::kNotFound));
}

}  // namespace
}  // namespace fed
