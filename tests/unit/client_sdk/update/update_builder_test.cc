// What a trainer returned becomes an update, or is refused.
#include "client_sdk/update/update_builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/limits.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {
namespace {

using ::fed::testing::IsOk;
using ::fed::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Parameters Model(float value, std::int64_t wide = 3) {
  Parameters parameters;
  EXPECT_OK(parameters.Add({"a.weight", Dtype::kF32, {wide}}));
  EXPECT_OK(parameters.Add({"steps", Dtype::kI64, {1}}));
  EXPECT_OK(parameters.Add({"own.bias", Dtype::kF32, {2}}));
  EXPECT_OK(parameters.Add({"b.weight", Dtype::kBF16, {2}}));
  for (const char* name : {"a.weight", "own.bias", "b.weight"}) {
    float next = value;
    for (float& v : parameters.values(*parameters.Find(name))) v = next++;
  }
  return parameters;
}

UpdateSpec Spec() {
  UpdateSpec spec;
  spec.job = JobId{"keyboard"};
  spec.assignment = AssignmentId{7};
  spec.base = ModelVersion{3};
  spec.codec = "fp32";
  spec.groups = {"delta"};
  spec.scalars = {"examples", "loss"};
  spec.patterns.local = {"own.*"};
  return spec;
}

TrainResult Trained(float value, std::int64_t wide = 3) {
  TrainResult result;
  result.parameters = Model(value, wide);
  result.scalars = {{"examples", 12}, {"loss", 0.5}};
  return result;
}

class UpdateBuilderTest : public ::testing::Test {
 protected:
  UpdateBuilderTest() {
    auto file = files_.Open("/update", FileSystem::Mode::kCreate);
    file_ = *std::move(file);
  }

  StatusOr<EncodedUpdate> Write(const UpdateSpec& spec, const Parameters& base,
                                const TrainResult& trained) {
    return WriteUpdate(spec, base, trained, *file_, log_);
  }

  std::vector<std::uint8_t> Bytes(std::int64_t offset, std::int64_t n) {
    std::vector<std::uint8_t> out(static_cast<std::size_t>(n));
    EXPECT_OK(file_->ReadAt(offset, absl::MakeSpan(out)));
    return out;
  }

  UpdateHeader Header(const EncodedUpdate& update) {
    auto header = DecodeUpdateHeader(Bytes(0, update.header_bytes));
    EXPECT_OK(header);
    return *header;
  }

  // All values of all groups, decoded.
  std::vector<float> Values(const EncodedUpdate& update) {
    const UpdateHeader header = Header(update);
    const auto table = DecodeTileTable(Bytes(update.header_bytes, update.table_bytes));
    std::int64_t offset = update.header_bytes + update.table_bytes;
    std::vector<float> all;
    for (std::size_t i = 0; i < table->size(); ++i) {
      const auto tile = Bytes(offset, (*table)[i].bytes);
      EXPECT_EQ(Sha256(tile), (*table)[i].digest);
      std::vector<float> values(
          static_cast<std::size_t>(header.tile_values(static_cast<std::int64_t>(i))));
      EXPECT_OK((*FindCodec(header.codec))->DecodeTile(tile, absl::MakeSpan(values)));
      all.insert(all.end(), values.begin(), values.end());
      offset += (*table)[i].bytes;
    }
    EXPECT_EQ(offset, update.total_bytes);
    return all;
  }

  testing::FakeFiles files_;
  std::unique_ptr<File> file_;
  std::vector<std::string> lines_;
  Log log_{[this](LogLevel, absl::string_view line) { lines_.emplace_back(line); }};
};

TEST_F(UpdateBuilderTest, TheDeltaIsTrainedMinusBaseOfTheTrainableTensors) {
  TrainResult trained = Trained(0);
  trained.parameters.values(0)[1] += 2.5F;   // a.weight
  trained.parameters.values(3)[0] -= 0.25F;  // b.weight
  trained.parameters.values(2)[0] = 99;      // own.bias is local: it never leaves

  const auto update = Write(Spec(), Model(0), trained);

  ASSERT_THAT(update, IsOk());
  EXPECT_THAT(Values(*update), ElementsAre(0, 2.5F, 0, -0.25F, 0));
  const UpdateHeader header = Header(*update);
  EXPECT_EQ(header.job, JobId{"keyboard"});
  EXPECT_EQ(header.assignment, AssignmentId{7});
  EXPECT_EQ(header.base, ModelVersion{3});
  EXPECT_THAT(header.groups, ElementsAre(UpdateGroup{"delta", 5}));
  EXPECT_THAT(header.scalars, ElementsAre(std::pair("examples", 12.0), std::pair("loss", 0.5)));
}

TEST_F(UpdateBuilderTest, FurtherGroupsTravelAsTheyAre) {
  UpdateSpec spec = Spec();
  spec.groups = {"control", "delta"};
  TrainResult trained = Trained(1);
  trained.groups["control"] = Model(5);

  const auto update = Write(spec, Model(0), trained);

  ASSERT_THAT(update, IsOk());
  EXPECT_THAT(Values(*update), ElementsAre(5, 6, 7, 5, 6, 1, 1, 1, 1, 1));
}

TEST_F(UpdateBuilderTest, EachGroupIsCutIntoTilesOfItsOwn) {
  UpdateSpec spec = Spec();
  spec.groups = {"control", "delta"};
  const std::int64_t wide = kTileValues + 10;
  TrainResult trained = Trained(2, wide);
  trained.groups["control"] = Model(0, wide);

  const auto update = Write(spec, Model(0, wide), trained);

  ASSERT_THAT(update, IsOk());
  EXPECT_EQ(update->table_bytes, 4 * kTileEntryBytes);
  const std::vector<float> values = Values(*update);
  ASSERT_EQ(values.size(), static_cast<std::size_t>(2 * (wide + 2)));
  EXPECT_EQ(values[kTileValues + 3], static_cast<float>(kTileValues + 3));
  EXPECT_EQ(values.back(), 2);
}

TEST_F(UpdateBuilderTest, ScalarsThatTheJobDoesNotTakeAreDroppedWithOneLine) {
  TrainResult trained = Trained(1);
  trained.scalars["secret_metric"] = 1;
  trained.scalars["temperature"] = 2;

  const auto update = Write(Spec(), Model(0), trained);

  ASSERT_THAT(update, IsOk());
  EXPECT_EQ(Header(*update).scalars.size(), 2U);
  EXPECT_THAT(lines_, ElementsAre(AllOf(StartsWith("update.scalars_dropped"),
                                        HasSubstr("secret_metric,temperature"))));
}

TEST_F(UpdateBuilderTest, EqualArgumentsGiveEqualBytesOverWhateverTheFileHeld) {
  const auto first = Write(Spec(), Model(0, 9'000), Trained(1, 9'000));
  const auto second = Write(Spec(), Model(0), Trained(1));
  const auto third = Write(Spec(), Model(0, 9'000), Trained(1, 9'000));

  ASSERT_THAT(third, IsOk());
  EXPECT_EQ(first->digest, third->digest);
  EXPECT_NE(first->digest, second->digest);
  EXPECT_EQ(*file_->size(), third->total_bytes);
}

TEST_F(UpdateBuilderTest, WhatIsNotFiniteIsRefusedWithItsPlace) {
  TrainResult trained = Trained(1);
  trained.parameters.values(3)[1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Write(Spec(), Model(0), trained),
              StatusIs(StatusCode::kInvalidArgument,
                       std::string("trainer returned NaN in 'b.weight' at element 1")));

  trained.parameters.values(3)[1] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(Write(Spec(), Model(0), trained),
              StatusIs(StatusCode::kInvalidArgument,
                       std::string("trainer returned an infinity in 'b.weight' at element 1")));

  trained = Trained(1);
  trained.scalars["loss"] = std::nan("");
  EXPECT_THAT(Write(Spec(), Model(0), trained),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("scalar 'loss'")));
}

TEST_F(UpdateBuilderTest, AnotherShapeOrAMissingTensorIsRefusedByName) {
  EXPECT_THAT(
      Write(Spec(), Model(0), Trained(1, 4)),
      StatusIs(StatusCode::kInvalidArgument,
               std::string("trainer returned a.weight F32 [4], expected a.weight F32 [3]")));

  TrainResult trained = Trained(1);
  trained.parameters = Parameters();
  EXPECT_THAT(
      Write(Spec(), Model(0), trained),
      StatusIs(StatusCode::kInvalidArgument, std::string("trainer returned no tensor 'a.weight'")));

  trained = Trained(1);
  ASSERT_OK(trained.parameters.Add({"extra", Dtype::kF32, {1}}));
  EXPECT_THAT(Write(Spec(), Model(0), trained),
              StatusIs(StatusCode::kInvalidArgument,
                       std::string("trainer returned 5 tensors, expected the model's 4")));
}

TEST_F(UpdateBuilderTest, AGroupThatIsMissingOrMisshapenIsRefused) {
  UpdateSpec spec = Spec();
  spec.groups = {"control", "delta"};
  EXPECT_THAT(Write(spec, Model(0), Trained(1)),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("returned no group 'control'")));

  TrainResult trained = Trained(1);
  trained.groups["control"] = Model(0, 4);
  EXPECT_THAT(Write(spec, Model(0), trained),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("group 'control' with a.weight")));

  trained.groups["control"] = Parameters();
  EXPECT_THAT(Write(spec, Model(0), trained),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("without tensor 'a.weight'")));
}

TEST_F(UpdateBuilderTest, AnUnknownCodecIsNotFound) {
  UpdateSpec spec = Spec();
  spec.codec = "wishful";
  EXPECT_THAT(Write(spec, Model(0), Trained(1)), StatusIs(StatusCode::kNotFound));
}

TEST_F(UpdateBuilderTest, AFullDiskIsSaidAsSuch) {
  files_.SetCapacity(100);
  EXPECT_THAT(Write(Spec(), Model(0, 1'000), Trained(1, 1'000)),
              StatusIs(StatusCode::kResourceExhausted));
}

TEST_F(UpdateBuilderTest, AStoredUpdateIsReadAgainWithItsSizesAndDigest) {
  const auto update = Write(Spec(), Model(0, 9'000), Trained(1, 9'000));
  const auto found = CheckUpdate(*file_);

  ASSERT_THAT(found, IsOk());
  EXPECT_EQ(found->digest, update->digest);
  EXPECT_EQ(found->header_bytes, update->header_bytes);
  EXPECT_EQ(found->table_bytes, update->table_bytes);
  EXPECT_EQ(found->total_bytes, update->total_bytes);
}

TEST_F(UpdateBuilderTest, AnyByteOfAStoredUpdateThatChangedIsDataLoss) {
  const auto update = Write(Spec(), Model(0), Trained(1));
  ASSERT_THAT(update, IsOk());
  for (std::int64_t at = 0; at < update->total_bytes; ++at) {
    const std::uint8_t was = Bytes(at, 1)[0];
    const std::uint8_t other = was ^ 0x40;
    ASSERT_OK(file_->WriteAt(at, {&other, 1}));
    const auto found = CheckUpdate(*file_);
    // A byte of the header that still decodes makes another digest; all else is found out.
    EXPECT_TRUE(found.ok() ? found->digest != update->digest
                           : found.status().code() == StatusCode::kDataLoss)
        << at;
    ASSERT_OK(file_->WriteAt(at, {&was, 1}));
  }
}

TEST_F(UpdateBuilderTest, AStoredUpdateThatIsCutOffAnywhereIsDataLoss) {
  const auto update = Write(Spec(), Model(0), Trained(1));
  ASSERT_THAT(update, IsOk());
  for (std::int64_t size = update->total_bytes - 1; size >= 0; --size) {
    ASSERT_OK(file_->Truncate(size));
    EXPECT_THAT(CheckUpdate(*file_), StatusIs(StatusCode::kDataLoss)) << size;
  }
}

}  // namespace
}  // namespace fed::client
