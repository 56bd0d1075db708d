// Updates that are wrong: each is refused with its reason, leaves no receipt, and the round of the
// others goes on as if it had never come.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "common/base/limits.h"
#include "common/codec/update_format.h"
#include "tests/integration/hostile_world.h"
#include "tests/testing/status_matchers.h"

namespace fed::testing {
namespace {

using ::testing::HasSubstr;

// What a device makes of a good update, and what it is told.
struct WrongUpdate {
  std::string name;  // of the test
  std::function<EncodedUpdate(UpdateContents good)> make;
  std::string reason;
};
void PrintTo(const WrongUpdate& wrong, std::ostream* out) { *out << wrong.name; }

std::function<EncodedUpdate(UpdateContents)> With(std::function<void(UpdateContents&)> change) {
  return [change = std::move(change)](UpdateContents contents) {
    change(contents);
    return MakeUpdate(contents);
  };
}

std::function<EncodedUpdate(UpdateContents)> WithValue(std::size_t place, float value) {
  return With([=](UpdateContents& update) { update.groups["delta"][place] = value; });
}

std::function<EncodedUpdate(UpdateContents)> WithExamples(double examples) {
  return With([=](UpdateContents& update) { update.scalars["examples"] = examples; });
}

// The parts of a good update, to be put together wrongly.
struct Parts {
  std::vector<std::uint8_t> header;
  std::vector<TileEntry> table;
  std::vector<std::vector<std::uint8_t>> tiles;
};
std::function<EncodedUpdate(UpdateContents)> WithParts(std::function<void(Parts&)> change) {
  return [change = std::move(change)](const UpdateContents& contents) {
    const EncodedUpdate good = MakeUpdate(contents);
    const auto part = [&](std::int64_t first, std::int64_t last) {
      return std::vector<std::uint8_t>(good.bytes.begin() + first, good.bytes.begin() + last);
    };
    Parts parts;
    parts.header = part(0, good.header_bytes);
    const std::int64_t head = good.header_bytes + good.table_bytes;
    parts.table = Must(DecodeTileTable(part(good.header_bytes, head)));
    std::int64_t first = head;
    for (const std::int64_t end : good.tile_ends) {
      parts.tiles.push_back(part(first, end));
      first = end;
    }
    change(parts);
    return JoinUpdate(parts.header, parts.table, parts.tiles);
  };
}

std::vector<WrongUpdate> WrongUpdates() {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  return {
      {"TooFewValues", With([](UpdateContents& update) { update.groups["delta"].pop_back(); }),
       "group 'delta' has 20,199 values: the job's model has 20,200 trainable ones"},
      {"TooFewTiles", With([](UpdateContents& update) { update.groups["delta"].resize(10); }),
       "tile table of 36 bytes: expected 108 (3 tiles)"},
      {"AnotherLayout", With([](UpdateContents& update) { update.layout.bytes[0] ^= 1; }),
       "(same number of values, other tensors)"},
      {"NaN", WithValue(0, kNan), "tile 0: value 0 of the fp32 tile is "},
      {"AnInfinityInTheLastTile", WithValue(20'199, kInfinity),
       "tile 2: value 3815 of the fp32 tile is inf"},
      {"ZeroExamples", WithExamples(0), "scalar 'examples' is 0: expected more than 0"},
      {"NegativeExamples", WithExamples(-5), "scalar 'examples' is -5: expected more than 0"},
      {"TooManyExamples", WithExamples(1e12), "and at most 1e+09"},
      {"NoExamples", With([](UpdateContents& update) { update.scalars.clear(); }),
       "update has no scalar 'examples', which weighs it"},
      {"AnUnknownScalar", With([](UpdateContents& update) { update.scalars["bribe"] = 1; }),
       "scalar 'bribe' is not taken: the job takes "},
      {"AnUnknownGroup", With([](UpdateContents& update) {
         update.groups["eviction"] = std::exchange(update.groups["delta"], {});
         update.groups.erase("delta");
       }),
       "update has groups 'eviction': the job takes 'delta'"},
      {"AnotherJobsHeader", With([](UpdateContents& update) { update.job = JobId{"another"}; }),
       "update is of job another assignment"},
      {"AnotherAssignmentsHeader", With([](UpdateContents& update) { ++update.assignment.value; }),
       "update is of job wrong"},
      {"AnotherBaseVersion", With([](UpdateContents& update) { update.base = ModelVersion{7}; }),
       "update is based on version 7: expected 0"},
      {"AnotherCodec", With([](UpdateContents& update) { update.codec = "zip"; }),
       "update is encoded as 'zip': expected 'fp32'"},
      {"ALyingDigestInTheTileTable",
       WithParts([](Parts& parts) { parts.table[1].digest.bytes[5] ^= 1; }),
       "tile 1 does not match its digest in the tile table"},
      {"ALyingLengthInTheTileTable", WithParts([](Parts& parts) { parts.table[1].bytes -= 4; }),
       "header, table and tiles are "},
      {"AHugeTileInTheTileTable",
       WithParts([](Parts& parts) { parts.table[0].bytes = 0xFFFF'FFFF; }),
       "tile 0 has 4294967295 bytes: codec fp32 takes at most 32768 for 8192 values"},
      {"AHeaderThatIsNone", WithParts([](Parts& parts) { parts.header[0] ^= 0xFF; }), ""},
  };
}

class WrongUpdateTest : public HostileWorld, public ::testing::WithParamInterface<WrongUpdate> {};

TEST_P(WrongUpdateTest, IsRefusedAndTheRoundOfTheOthersIsAsItWouldHaveBeen) {
  const Members members = Open("wrong");
  const EncodedUpdate wrong = GetParam().make(Good(members.hostile, 3));

  const Uploaded uploaded = Upload(hostile_, wrong, members.hostile.ref());

  EXPECT_THAT(uploaded.status, IsOk());
  ASSERT_TRUE(uploaded.last.has_refused()) << uploaded.last.ShortDebugString();
  EXPECT_THAT(uploaded.refusal(), HasSubstr(GetParam().reason));
  EXPECT_FALSE(uploaded.refusal().empty());
  // It is said again, to a good one too: the assignment is over.
  const EncodedUpdate good = MakeUpdate(Good(members.hostile, 3));
  EXPECT_THAT(Upload(hostile_, good, members.hostile.ref()).refusal(),
              HasSubstr(uploaded.refusal()));
  EXPECT_EQ(PublishedBy(members), Undisturbed());
  const v1::Participant seen = Seen("wrong", "hostile");
  EXPECT_EQ(seen.state(), "REJECTED");
  EXPECT_EQ(seen.reason(), uploaded.refusal());
  EXPECT_EQ(seen.receipt(), "");
}

INSTANTIATE_TEST_SUITE_P(Updates, WrongUpdateTest, ::testing::ValuesIn(WrongUpdates()),
                         [](const auto& wrong) { return wrong.param.name; });

// Bounds of the message: no update at all, so the assignment is not lost.
struct WrongBegin {
  std::string name;
  std::function<void(v1::UploadBegin&)> change;
  std::string message;
};
void PrintTo(const WrongBegin& wrong, std::ostream* out) { *out << wrong.name; }

class WrongBeginTest : public HostileWorld, public ::testing::WithParamInterface<WrongBegin> {};

TEST_P(WrongBeginTest, IsAnInvalidArgumentAndCostsNothing) {
  const Members members = Open("wrong");
  const EncodedUpdate good = MakeUpdate(Good(members.hostile, 3));
  v1::UploadBegin begin = BeginOf(good, members.hostile.ref());
  GetParam().change(begin);

  const Uploaded uploaded = Upload(hostile_, begin, good.bytes);

  EXPECT_THAT(uploaded.status,
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
  EXPECT_EQ(uploaded.from, -1);
  EXPECT_EQ(Seen("wrong", "hostile").state(), "ASSIGNED");
  EXPECT_EQ(PublishedBy(members), Undisturbed());
  EXPECT_EQ(Seen("wrong", "hostile").receipt(), "");
}

INSTANTIATE_TEST_SUITE_P(
    Begins, WrongBeginTest,
    ::testing::Values(
        WrongBegin{
            "AnOversizedHeader",
            [](v1::UploadBegin& begin) { begin.set_header_bytes(kMaxUpdateHeaderBytes + 1); },
            "header_bytes"},
        WrongBegin{"NoTable", [](v1::UploadBegin& begin) { begin.set_table_bytes(0); },
                   "table_bytes"},
        WrongBegin{"LessThanItsHead", [](v1::UploadBegin& begin) { begin.set_total_bytes(5); },
                   "total_bytes"},
        WrongBegin{"AShortDigest", [](v1::UploadBegin& begin) { begin.set_digest("short"); },
                   "digest"},
        WrongBegin{"NoJob", [](v1::UploadBegin& begin) { begin.mutable_ref()->clear_job(); },
                   "job"}),
    [](const auto& wrong) { return wrong.param.name; });

}  // namespace
}  // namespace fed::testing
