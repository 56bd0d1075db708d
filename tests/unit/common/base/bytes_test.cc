// Byte layouts and hexadecimal text.
#include "common/base/bytes.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using testing::StatusIs;

using Bytes = std::vector<std::uint8_t>;

TEST(ByteWriterTest, WritesLittleEndian) {
  Bytes out;
  ByteWriter writer(out);

  writer.U8(0x01);
  writer.U16(0x0203);
  writer.U32(0x04050607);
  writer.U64(0x08090A0B0C0D0E0F);
  writer.I64(-2);
  writer.F64(1.0);
  writer.ShortText("ab");

  EXPECT_EQ(ToHex(out),
            "01"
            "0302"
            "07060504"
            "0f0e0d0c0b0a0908"
            "feffffffffffffff"
            "000000000000f03f"
            "02006162");
}

TEST(ByteReaderTest, ReadsWhatTheWriterWrote) {
  Bytes out;
  ByteWriter writer(out);
  writer.U8(255);
  writer.U16(65'535);
  writer.U32(0xDEADBEEF);
  writer.U64(0xFEDCBA9876543210);
  writer.I64(std::numeric_limits<std::int64_t>::min());
  writer.F64(-0.0);
  writer.ShortText("");
  writer.Raw({1, 2, 3});

  ByteReader reader(out);

  EXPECT_EQ(reader.U8(), 255);
  EXPECT_EQ(reader.U16(), 65'535);
  EXPECT_EQ(reader.U32(), 0xDEADBEEF);
  EXPECT_EQ(reader.U64(), 0xFEDCBA9876543210);
  EXPECT_EQ(reader.I64(), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(std::signbit(reader.F64()));
  EXPECT_EQ(reader.ShortText(), "");
  EXPECT_THAT(reader.Raw(3), ElementsAre(1, 2, 3));
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.left(), 0u);
}

TEST(ByteReaderTest, ReadsZerosOnceItHasReadPastTheEnd) {
  const Bytes bytes = {1, 2, 3, 4, 5};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.U32(), 0x04030201u);

  EXPECT_EQ(reader.U16(), 0);

  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.U8(), 0) << "a byte is left, but nothing is read after an error";
  EXPECT_EQ(reader.ShortText(), "");
}

TEST(ByteReaderTest, RefusesTextLongerThanWhatIsLeft) {
  const Bytes bytes = {255, 255, 'a'};
  ByteReader reader(bytes);

  EXPECT_EQ(reader.ShortText(), "");

  EXPECT_FALSE(reader.ok());
}

TEST(HexTest, GoesBothWays) {
  EXPECT_EQ(ToHex({0x00, 0x7F, 0xFF}), "007fff");
  EXPECT_THAT(FromHex("007Fff"), IsOkAndHolds(ElementsAre(0x00, 0x7F, 0xFF)));
  EXPECT_THAT(FromHex(""), IsOkAndHolds(ElementsAre()));
}

TEST(HexTest, NamesTheCharacterThatIsWrong) {
  EXPECT_THAT(FromHex("abc"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("3 characters")));
  EXPECT_THAT(FromHex("00g0"), StatusIs(StatusCode::kInvalidArgument, HasSubstr("character 2")));
  EXPECT_THAT(FromHex("000 "), StatusIs(StatusCode::kInvalidArgument, HasSubstr("character 3")));
}

TEST(ByteWriterDeathTest, EndsTheProcessOnTextThatHasNoLength) {
  Bytes out;
  ByteWriter writer(out);
  EXPECT_DEATH(writer.ShortText(std::string(65'536, 'x')), "bytes.cc:.*broken invariant");
}

}  // namespace
}  // namespace fed
