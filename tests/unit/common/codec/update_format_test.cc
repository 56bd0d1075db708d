// Updates as bytes: the document's example, and what is refused.
#include "common/codec/update_format.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/bytes.h"
#include "common/base/file.h"
#include "common/base/limits.h"
#include "common/codec/codec.h"
#include "tests/testing/status_matchers.h"

namespace fed {
namespace {

using ::testing::HasSubstr;
using testing::IsOkAndHolds;
using ::testing::SizeIs;
using testing::StatusIs;

using Bytes = std::vector<std::uint8_t>;

UpdateHeader ExampleHeader() {
  return {.job = {"demo"},
          .assignment = {7},
          .base = {3},
          .layout = Sha256("layout"),
          .codec = "fp32",
          .groups = {{"delta", 3}},
          .scalars = {{"examples", 600.0}, {"loss", 0.25}}};
}

Bytes Encoded(const UpdateHeader& header) {
  auto bytes = EncodeUpdateHeader(header);
  EXPECT_OK(bytes.status());
  return *std::move(bytes);
}

// The bytes in FORMAT.md's block of hex, comments dropped.
StatusOr<Bytes> DocumentedExample() {
  FED_ASSIGN_OR_RETURN(
      const std::string text,
      ReadFile(FileSystem::Real(), FED_SOURCE_DIR "/common/codec/FORMAT.md", 1 << 20));
  const std::vector<std::string> parts = absl::StrSplit(text, "```hex\n");
  const std::string block = parts.at(1).substr(0, parts.at(1).find("```"));
  std::string hex;
  for (const absl::string_view line : absl::StrSplit(block, '\n')) {
    for (const char c : line.substr(0, line.find('#'))) {
      if (c != ' ') hex.push_back(c);
    }
  }
  return FromHex(hex);
}

TEST(UpdateFormatTest, IsTheDocumentedExample) {
  Bytes tile;
  RandomStream random(1, RandomPurpose::kTest, 0);
  ASSERT_OK_AND_ASSIGN(const Codec* codec, FindCodec("fp32"));
  ASSERT_OK(codec->EncodeTile({1.0f, -2.0f, 0.5f}, random, tile));
  const Bytes header = Encoded(ExampleHeader());
  const Bytes table = EncodeTileTable({TileEntry{12, Sha256(tile)}});

  Bytes update = header;
  update.insert(update.end(), table.begin(), table.end());
  EXPECT_EQ(UpdateDigest(header, table), Sha256(update));
  EXPECT_EQ(UpdateDigest(header, table).ToHex(),
            "30ad4ebf428a82a8d1265023e1f73240fb7e24459e5fa2b6a83825a71bd08fe6");
  update.insert(update.end(), tile.begin(), tile.end());
  EXPECT_THAT(DocumentedExample(), IsOkAndHolds(update));
}

TEST(UpdateFormatTest, DecodesWhatItEncoded) {
  UpdateHeader header = ExampleHeader();
  header.groups = {{"control", 20'000}, {"delta", 20'000}};
  header.scalars = {{"a metric", -0.0}, {"tiny", std::numeric_limits<double>::denorm_min()}};
  const Bytes bytes = Encoded(header);

  EXPECT_THAT(UpdateHeaderBytes(absl::MakeSpan(bytes).first(kUpdatePrefixBytes)),
              IsOkAndHolds(static_cast<std::int64_t>(bytes.size())));
  ASSERT_OK_AND_ASSIGN(const UpdateHeader decoded, DecodeUpdateHeader(bytes));

  EXPECT_EQ(decoded, header);
  EXPECT_TRUE(std::signbit(decoded.scalars.at("a metric")));
}

TEST(UpdateFormatTest, CutsEachGroupIntoTilesOfItsOwn) {
  UpdateHeader header = ExampleHeader();
  header.groups = {{"a", 8'192}, {"b", 8'193}, {"c", 1}};

  EXPECT_EQ(header.tiles(), 4);
  EXPECT_EQ(header.tile_values(0), 8'192);
  EXPECT_EQ(header.tile_values(1), 8'192);
  EXPECT_EQ(header.tile_values(2), 1);
  EXPECT_EQ(header.tile_values(3), 1);
}

TEST(UpdateFormatDeathTest, HasNoTileAfterTheLast) {
  EXPECT_DEATH(ExampleHeader().tile_values(1), "tile < tiles");
}

TEST(UpdateFormatTest, RefusesEveryPrefixOfAHeader) {
  const Bytes bytes = Encoded(ExampleHeader());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THAT(DecodeUpdateHeader(absl::MakeSpan(bytes).first(size)),
                StatusIs(StatusCode::kInvalidArgument))
        << size;
  }
}

TEST(UpdateFormatTest, AcceptsOnlyOneFormWhateverByteIsChanged) {
  const Bytes bytes = Encoded(ExampleHeader());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const int flip : {0x01, 0x20, 0x80, 0xFF}) {
      Bytes changed = bytes;
      changed[i] ^= static_cast<std::uint8_t>(flip);
      const auto decoded = DecodeUpdateHeader(changed);
      if (decoded.ok()) {
        EXPECT_EQ(Encoded(*decoded), changed) << "byte " << i;
      } else {
        EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument);
      }
    }
  }
}

TEST(UpdateFormatTest, NamesAnotherFormat) {
  Bytes bytes = Encoded(ExampleHeader());
  bytes[4] = 2;
  EXPECT_THAT(
      DecodeUpdateHeader(bytes),
      StatusIs(StatusCode::kInvalidArgument, "update header: format 2: this build reads format 1"));
  bytes[0] = 'F';
  EXPECT_THAT(DecodeUpdateHeader(bytes),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not an update")));
}

TEST(UpdateFormatTest, RefusesAHeaderLengthThatNoHeaderHas) {
  Bytes bytes = Encoded(ExampleHeader());
  const auto with_length = [&](std::uint32_t length) {
    Bytes changed(bytes.begin(), bytes.begin() + 8);
    ByteWriter(changed).U32(length);
    return UpdateHeaderBytes(changed).status();
  };
  EXPECT_THAT(with_length(0), StatusIs(StatusCode::kInvalidArgument, HasSubstr("of 0 bytes")));
  EXPECT_THAT(with_length(12), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_OK(with_length(65'536));
  EXPECT_THAT(with_length(65'537),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("expected 13 to 65536")));
}

TEST(UpdateFormatTest, RefusesBytesAfterTheHeader) {
  Bytes bytes = Encoded(ExampleHeader());
  bytes.push_back(0);
  EXPECT_THAT(DecodeUpdateHeader(bytes),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("124 bytes: expected 123")));
  ++bytes[8];
  EXPECT_THAT(DecodeUpdateHeader(bytes),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("1 bytes after its end")));
}

struct BadHeader {
  const char* name;
  std::function<void(UpdateHeader&)> spoil;
  const char* message;
};

class BadHeaderTest : public ::testing::TestWithParam<BadHeader> {};

TEST_P(BadHeaderTest, IsNotEncoded) {
  UpdateHeader header = ExampleHeader();
  GetParam().spoil(header);
  EXPECT_THAT(EncodeUpdateHeader(header),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadHeaderTest,
    ::testing::Values(
        BadHeader{"NoJob", [](UpdateHeader& h) { h.job.value = ""; }, "job \"\""},
        BadHeader{"JobWithASlash", [](UpdateHeader& h) { h.job.value = "../x"; }, "job \"../x\""},
        BadHeader{"LongJob", [](UpdateHeader& h) { h.job.value = std::string(64, 'a'); }, "job"},
        BadHeader{"NegativeAssignment", [](UpdateHeader& h) { h.assignment.value = -1; },
                  "assignment -1"},
        BadHeader{"NegativeBase", [](UpdateHeader& h) { h.base.value = -1; }, "base version -1"},
        BadHeader{"NoCodec", [](UpdateHeader& h) { h.codec = ""; }, "codec name \"\""},
        BadHeader{"NoGroups", [](UpdateHeader& h) { h.groups.clear(); }, "0 groups"},
        BadHeader{"ManyGroups",
                  [](UpdateHeader& h) {
                    for (int i = 0; i < 17; ++i) h.groups.push_back({std::string(i + 1, 'e'), 1});
                  },
                  "18 groups: expected 1 to 16"},
        BadHeader{"EmptyGroup", [](UpdateHeader& h) { h.groups[0].values = 0; }, "of 0 values"},
        BadHeader{"HugeGroup", [](UpdateHeader& h) { h.groups[0].values = INT64_MAX; },
                  "of 9223372036854775807 values"},
        BadHeader{"UnsortedGroups",
                  [](UpdateHeader& h) {
                    h.groups.push_back({"control", 3});
                  },
                  "group control after delta: not sorted"},
        BadHeader{"GroupTwice",
                  [](UpdateHeader& h) {
                    h.groups.push_back({"delta", 3});
                  },
                  "group delta after delta"},
        BadHeader{"ControlCharacter", [](UpdateHeader& h) { h.groups[0].name = "a\nb"; },
                  "group name \"a\\nb\": expected 1 to 512 printable"},
        BadHeader{"LongName", [](UpdateHeader& h) { h.groups[0].name = std::string(513, 'g'); },
                  "group name"},
        BadHeader{"Nan", [](UpdateHeader& h) { h.scalars["loss"] = std::nan(""); },
                  "scalar loss is nan: not finite"},
        BadHeader{"Infinity", [](UpdateHeader& h) { h.scalars["loss"] = HUGE_VAL; },
                  "scalar loss is inf: not finite"},
        BadHeader{"NoScalarName", [](UpdateHeader& h) { h.scalars[""] = 1; }, "scalar name \"\""},
        BadHeader{"ManyScalars",
                  [](UpdateHeader& h) {
                    for (int i = 0; i < 257; ++i) h.scalars[absl::StrCat("s", i)] = i;
                  },
                  "259 scalars: at most 256"},
        BadHeader{"TooLongInAll",
                  [](UpdateHeader& h) {
                    for (int i = 0; i < 200; ++i) {
                      h.scalars[absl::StrCat(std::string(500, 's'), i)] = i;
                    }
                  },
                  "bytes: at most 65536"}),
    [](const auto& about) { return std::string(about.param.name); });

// A header that no encoder makes: groups and scalars as given, counts of one's own.
Bytes HandMade(const std::function<void(ByteWriter&)>& groups_and_scalars) {
  Bytes body;
  ByteWriter writer(body);
  writer.ShortText("demo");
  writer.I64(7);
  writer.I64(3);
  writer.Raw(Bytes(32));
  writer.ShortText("fp32");
  groups_and_scalars(writer);
  Bytes bytes;
  ByteWriter whole(bytes);
  whole.Raw(AsBytes("fedu"));
  whole.U32(1);
  whole.U32(static_cast<std::uint32_t>(12 + body.size()));
  whole.Raw(body);
  return bytes;
}

TEST(UpdateFormatTest, RefusesScalarsOutOfOrderOrTwice) {
  for (const char* second : {"a", "b"}) {
    const Bytes bytes = HandMade([&](ByteWriter& writer) {
      writer.U16(1);
      writer.ShortText("delta");
      writer.I64(3);
      writer.U16(2);
      writer.ShortText("b");
      writer.F64(1);
      writer.ShortText(second);
      writer.F64(1);
    });
    EXPECT_THAT(DecodeUpdateHeader(bytes),
                StatusIs(StatusCode::kInvalidArgument, HasSubstr("after b: not sorted by name")));
  }
}

TEST(UpdateFormatTest, RefusesCountsThatItsBytesDoNotHold) {
  EXPECT_THAT(DecodeUpdateHeader(HandMade([](ByteWriter& writer) { writer.U16(65'535); })),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("65535 groups")));
  EXPECT_THAT(DecodeUpdateHeader(HandMade([](ByteWriter& writer) { writer.U16(2); })),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("cut off")));
  const auto scalars = [](std::uint16_t count) {
    return HandMade([count](ByteWriter& writer) {
      writer.U16(1);
      writer.ShortText("delta");
      writer.I64(3);
      writer.U16(count);
    });
  };
  EXPECT_OK(DecodeUpdateHeader(scalars(0)));
  EXPECT_THAT(DecodeUpdateHeader(scalars(1)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("cut off")));
  EXPECT_THAT(DecodeUpdateHeader(scalars(257)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("257 scalars: at most 256")));
}

TEST(TileTableTest, GoesBothWays) {
  const std::vector<TileEntry> tiles = {{32'768, Sha256("a")}, {12, Sha256("b")}};

  const Bytes bytes = EncodeTileTable(tiles);

  ASSERT_THAT(bytes, SizeIs(72));
  EXPECT_EQ(ToHex(absl::MakeSpan(bytes).subspan(36, 4)), "0c000000");
  EXPECT_THAT(DecodeTileTable(bytes), IsOkAndHolds(tiles));
  EXPECT_THAT(DecodeTileTable({}), IsOkAndHolds(SizeIs(0)));
}

TEST(TileTableTest, RefusesAPartOfAnEntry) {
  EXPECT_THAT(
      DecodeTileTable(Bytes(71)),
      StatusIs(StatusCode::kInvalidArgument, "tile table of 71 bytes: expected a multiple of 36"));
}

}  // namespace
}  // namespace fed
