// The first pass: what it takes, what it refuses and why.
#include "server/ingest/update_reader.h"

#include <cmath>
#include <limits>

#include "common/base/bytes.h"
#include "common/base/limits.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"
#include "tests/unit/server/ingest/intake_world.h"

namespace fed::server {
namespace {

using ::fed::testing::EncodedUpdate;
using ::fed::testing::IsOk;
using ::fed::testing::JoinUpdate;
using ::fed::testing::MakeUpdate;
using ::fed::testing::SomeValues;
using ::fed::testing::StatusIs;
using ::fed::testing::UpdateContents;
using ::testing::HasSubstr;

UpdateContents TwoGroups() {
  UpdateContents contents;
  contents.groups = {{"control", SomeValues(9'000, 1)}, {"delta", SomeValues(20'000, 2)}};
  return contents;
}

// All of it at once: OK, or why not.
Status ReadAll(const EncodedUpdate& update, const UpdateTerms& terms) {
  FED_ASSIGN_OR_RETURN(UpdateReader reader, UpdateReader::Make(terms, BeginOf(update)));
  return reader.Add(AsBytes(update.bytes));
}

TEST(UpdateReaderTest, TakesAnUpdateInPiecesOfAnySize) {
  const EncodedUpdate update = MakeUpdate(TwoGroups());
  for (const std::size_t piece : {7UL, 1'000UL, 32'768UL, 50'000UL, update.bytes.size()}) {
    ASSERT_OK_AND_ASSIGN(UpdateReader reader,
                         UpdateReader::Make(TermsOf(TwoGroups()), BeginOf(update)));
    for (std::size_t at = 0; at < update.bytes.size(); at += piece) {
      ASSERT_FALSE(reader.complete());
      ASSERT_OK(reader.Add(AsBytes(update.bytes).subspan(at, piece)));
    }

    EXPECT_TRUE(reader.complete());
    EXPECT_EQ(reader.checked(), update.total_bytes());
    EXPECT_EQ(reader.weight(), 10);
    EXPECT_EQ(reader.header().scalars.at("examples"), 10);
  }
}

TEST(UpdateReaderTest, MeasuresTheNormOfDeltaAloneTileByTile) {
  const UpdateContents contents = TwoGroups();
  const EncodedUpdate update = MakeUpdate(contents);
  ASSERT_OK_AND_ASSIGN(UpdateReader reader, UpdateReader::Make(TermsOf(contents), BeginOf(update)));
  ASSERT_OK(reader.Add(AsBytes(update.bytes)));

  double squares = 0;
  const std::vector<float>& delta = contents.groups.at("delta");
  for (std::size_t first = 0; first < delta.size(); first += kTileValues) {
    double tile = 0;
    for (std::size_t i = first; i < delta.size() && i < first + kTileValues; ++i) {
      tile += static_cast<double>(delta[i]) * static_cast<double>(delta[i]);
    }
    squares += tile;
  }
  EXPECT_EQ(reader.norm(), std::sqrt(squares));
}

TEST(UpdateReaderTest, TakesTermsThatNameTheGroupsInAnyOrder) {
  UpdateTerms terms = TermsOf(TwoGroups());
  std::swap(terms.groups[0], terms.groups[1]);

  EXPECT_OK(ReadAll(MakeUpdate(TwoGroups()), terms));
}

TEST(UpdateReaderTest, GoesOnFromAnyCheckedTileWithTheSameNorm) {
  const EncodedUpdate update = MakeUpdate(TwoGroups());
  const UpdateTerms terms = TermsOf(TwoGroups());
  ASSERT_OK_AND_ASSIGN(UpdateReader whole, UpdateReader::Make(terms, BeginOf(update)));
  ASSERT_OK(whole.Add(AsBytes(update.bytes)));

  for (const std::int64_t end : update.tile_ends) {
    const auto cut = static_cast<std::size_t>(end);
    ASSERT_OK_AND_ASSIGN(UpdateReader first, UpdateReader::Make(terms, BeginOf(update)));
    ASSERT_OK(first.Add(AsBytes(update.bytes).first(cut)));
    ASSERT_OK_AND_ASSIGN(UpdateReader second, UpdateReader::Make(terms, BeginOf(update)));
    ASSERT_OK(
        second.Add(AsBytes(update.bytes)
                       .first(static_cast<std::size_t>(update.header_bytes + update.table_bytes))));
    second.SkipTo(first.progress());
    EXPECT_EQ(second.checked(), end);
    ASSERT_OK(second.Add(AsBytes(update.bytes).subspan(cut)));

    EXPECT_TRUE(second.complete());
    EXPECT_EQ(second.norm(), whole.norm());
  }
}

TEST(UpdateReaderTest, RewindForgetsWhatIsNotCheckedAndNothingElse) {
  const EncodedUpdate update = MakeUpdate(TwoGroups());
  std::string bad = update.bytes;
  const auto second_tile = static_cast<std::size_t>(update.tile_ends[0]);
  bad[second_tile + 5] ^= 1;
  ASSERT_OK_AND_ASSIGN(UpdateReader reader,
                       UpdateReader::Make(TermsOf(TwoGroups()), BeginOf(update)));
  EXPECT_THAT(reader.Add(AsBytes(bad)), StatusIs(StatusCode::kInvalidArgument,
                                                 HasSubstr("tile 1 does not match its digest")));

  reader.Rewind();
  EXPECT_EQ(reader.offset(), update.tile_ends[0]);
  EXPECT_OK(reader.Add(AsBytes(update.bytes).subspan(second_tile)));
  EXPECT_TRUE(reader.complete());
}

struct HostileCase {
  std::string name;
  std::function<void(UpdateContents&, UpdateTerms&)> make;  // from a good one of 3 values
  std::string message;
};

void PrintTo(const HostileCase& hostile, std::ostream* out) { *out << hostile.name; }

class HostileContentsTest : public ::testing::TestWithParam<HostileCase> {};

TEST_P(HostileContentsTest, IsRefusedWithWhatWasExpected) {
  UpdateContents contents;
  UpdateTerms terms = TermsOf(contents);
  GetParam().make(contents, terms);

  EXPECT_THAT(ReadAll(MakeUpdate(contents), terms),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

INSTANTIATE_TEST_SUITE_P(
    All, HostileContentsTest,
    ::testing::Values(
        HostileCase{"NaN", [](auto& c, auto&) { c.groups["delta"][1] = kNan; }, "tile 0: value 1"},
        HostileCase{"Infinity", [](auto& c, auto&) { c.groups["delta"][2] = -kInfinity; },
                    "tile 0: value 2"},
        HostileCase{"AnotherJob", [](auto& c, auto&) { c.job = JobId{"job-b"}; },
                    "update is of job job-b assignment 1: expected job job-a assignment 1"},
        HostileCase{"AnotherAssignment", [](auto& c, auto&) { c.assignment = {7}; },
                    "update is of job job-a assignment 7: expected job job-a assignment 1"},
        HostileCase{"StaleBase", [](auto&, auto& t) { t.base = {3}; },
                    "update is based on version 0: expected 3"},
        HostileCase{"AnotherLayout", [](auto& c, auto&) { c.layout.bytes[0] = 1; },
                    "update has layout 01"},
        HostileCase{"AnotherCodec", [](auto& c, auto&) { c.codec = "int8"; },
                    "update is encoded as 'int8': expected 'fp32'"},
        HostileCase{"WrongShape", [](auto&, auto& t) { t.groups[0].values = 8'000; },
                    "group 'delta' has 3 values: the job's model has 8,000 trainable ones"},
        HostileCase{"GroupWithAnotherName",
                    [](auto& c, auto&) {
                      c.groups = {{"weights", {1, 2, 3}}};
                    },
                    "update has groups 'weights': the job takes 'delta'"},
        HostileCase{"ZeroExamples", [](auto& c, auto&) { c.scalars["examples"] = 0; },
                    "scalar 'examples' is 0: expected more than 0 and at most 1000"},
        HostileCase{"NegativeExamples", [](auto& c, auto&) { c.scalars["examples"] = -5; },
                    "scalar 'examples' is -5: expected more than 0"},
        HostileCase{"TooManyExamples", [](auto& c, auto&) { c.scalars["examples"] = 1'001; },
                    "scalar 'examples' is 1001: expected more than 0 and at most 1000"},
        HostileCase{"NoExamples",
                    [](auto& c, auto&) {
                      c.scalars = {{"local_steps", 3}};
                    },
                    "update has no scalar 'examples'"},
        HostileCase{"UnknownScalar", [](auto& c, auto&) { c.scalars["bribe"] = 1; },
                    "scalar 'bribe' is not taken: the job takes examples, local_steps"},
        HostileCase{"TooLong", [](auto&, auto& t) { t.max_norm = 3.5; },
                    "group 'delta' has norm 3.74166: the job takes at most 3.5"}),
    [](const auto& info) { return info.param.name; });

TEST(UpdateReaderTest, TakesANormAtTheBoundAndAWeightAtTheBound) {
  UpdateContents contents;
  contents.groups = {{"delta", {3, 4}}};
  contents.scalars["examples"] = 1'000;
  UpdateTerms terms = TermsOf(contents);
  terms.max_norm = 5;

  EXPECT_OK(ReadAll(MakeUpdate(contents), terms));
}

TEST(UpdateReaderTest, WeighsOneWhereTheJobHasNoWeightScalar) {
  UpdateContents contents;
  contents.scalars.clear();
  UpdateTerms terms = TermsOf(contents);
  terms.weight_scalar.clear();
  const EncodedUpdate update = MakeUpdate(contents);
  ASSERT_OK_AND_ASSIGN(UpdateReader reader, UpdateReader::Make(terms, BeginOf(update)));
  ASSERT_OK(reader.Add(AsBytes(update.bytes)));

  EXPECT_EQ(reader.weight(), 1);
}

struct SizesCase {
  std::string name;
  std::function<void(wire::UploadBegin&)> make;
  std::string message;
};

void PrintTo(const SizesCase& sizes, std::ostream* out) { *out << sizes.name; }

class AnnouncedSizesTest : public ::testing::TestWithParam<SizesCase> {};

TEST_P(AnnouncedSizesTest, AreRefusedBeforeMemoryIsTaken) {
  wire::UploadBegin begin = BeginOf(MakeUpdate({}));
  GetParam().make(begin);

  EXPECT_THAT(UpdateReader::Make(TermsOf({}), begin),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

INSTANTIATE_TEST_SUITE_P(
    All, AnnouncedSizesTest,
    ::testing::Values(
        SizesCase{"HeaderTooLarge", [](auto& b) { b.header_bytes = 65'537; },
                  "header of 65537 bytes: expected 12 to 65,536"},
        SizesCase{"HeaderTooSmall", [](auto& b) { b.header_bytes = 11; }, "header of 11 bytes"},
        SizesCase{"HeaderNegative", [](auto& b) { b.header_bytes = -1; }, "header of -1 bytes"},
        SizesCase{"TableTooLong", [](auto& b) { b.table_bytes = 72; },
                  "tile table of 72 bytes: expected 36 (1 tiles)"},
        SizesCase{"TableMissing", [](auto& b) { b.table_bytes = 0; }, "tile table of 0 bytes"},
        SizesCase{"TableHuge", [](auto& b) { b.table_bytes = kMost; }, "tile table of 92233"},
        SizesCase{"TotalHuge", [](auto& b) { b.total_bytes = kMost; }, "update of 92233"},
        SizesCase{"TotalNegative", [](auto& b) { b.total_bytes = -1; }, "update of -1 bytes"},
        SizesCase{"TotalWithoutTable",
                  [](auto& b) { b.total_bytes = b.header_bytes + b.table_bytes - 1; },
                  "bytes: expected "}),
    [](const auto& info) { return info.param.name; });

// Parts of a good update of 3 values, to be put together wrongly.
struct Parts {
  std::vector<std::uint8_t> header, tile;
  TileEntry entry;
};

Parts GoodParts() {
  const EncodedUpdate update = MakeUpdate({});
  const absl::Span<const std::uint8_t> bytes = AsBytes(update.bytes);
  const auto header = bytes.first(static_cast<std::size_t>(update.header_bytes));
  const auto tile =
      bytes.subspan(static_cast<std::size_t>(update.header_bytes + update.table_bytes));
  return {{header.begin(), header.end()},
          {tile.begin(), tile.end()},
          {static_cast<std::uint32_t>(tile.size()), Sha256(tile)}};
}

TEST(UpdateReaderTest, RefusesATableWhoseTileIsLongerThanTheCodecMakes) {
  Parts parts = GoodParts();
  parts.entry.bytes = std::numeric_limits<std::uint32_t>::max();

  EXPECT_THAT(ReadAll(JoinUpdate(parts.header, {parts.entry}, {parts.tile}), TermsOf({})),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("tile 0 has 4294967295 bytes: codec fp32 takes at most 12")));
}

TEST(UpdateReaderTest, RefusesATableWhoseSumIsNotTheAnnouncedSize) {
  Parts parts = GoodParts();
  parts.entry.bytes = 8;
  const EncodedUpdate update = JoinUpdate(parts.header, {parts.entry}, {parts.tile});

  EXPECT_THAT(ReadAll(update, TermsOf({})),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("were announced")));
}

TEST(UpdateReaderTest, RefusesATileThatIsShorterThanItsValues) {
  Parts parts = GoodParts();
  parts.tile.resize(8);
  parts.entry = {8, Sha256(parts.tile)};

  EXPECT_THAT(ReadAll(JoinUpdate(parts.header, {parts.entry}, {parts.tile}), TermsOf({})),
              StatusIs(StatusCode::kInvalidArgument,
                       HasSubstr("tile 0: fp32 tile of 8 bytes: expected 12 (3 floats)")));
}

TEST(UpdateReaderTest, RefusesAHeaderThatSaysAnotherLength) {
  const EncodedUpdate update = MakeUpdate({});
  wire::UploadBegin begin = BeginOf(update);
  --begin.header_bytes;
  ASSERT_OK_AND_ASSIGN(UpdateReader reader, UpdateReader::Make(TermsOf({}), begin));

  EXPECT_THAT(reader.Add(AsBytes(update.bytes)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("header says that it has")));
}

TEST(UpdateReaderTest, RefusesBytesThatAreNoUpdateAndAnotherDigest) {
  EncodedUpdate update = MakeUpdate({});
  EncodedUpdate other = update;
  other.digest.bytes[0] ^= 1;
  update.bytes[0] = 'x';

  EXPECT_THAT(ReadAll(other, TermsOf({})),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("was announced")));
  EXPECT_THAT(ReadAll(update, TermsOf({})),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("not an update")));
}

TEST(UpdateReaderTest, RefusesBytesBeyondTheEnd) {
  EncodedUpdate update = MakeUpdate({});
  const wire::UploadBegin begin = BeginOf(update);
  update.bytes += "x";
  ASSERT_OK_AND_ASSIGN(UpdateReader reader, UpdateReader::Make(TermsOf({}), begin));

  EXPECT_THAT(reader.Add(AsBytes(update.bytes)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("beyond the announced end")));
}

TEST(UpdateReaderTest, SaysThatACodecIsMissingHereAndBlamesNobody) {
  UpdateTerms terms = TermsOf({});
  terms.codec = "wavelet";

  EXPECT_THAT(UpdateReader::Make(terms, BeginOf(MakeUpdate({}))),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("wavelet")));
}

}  // namespace
}  // namespace fed::server
