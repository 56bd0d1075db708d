// A version's file becomes the next one's: what moves, what stays, and what is said when it fails.
#include "server/aggregate/fold.h"

#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/aggregate/strategy_table.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/memory_tiles.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::FakeFiles;
using ::fed::testing::IsOk;
using ::fed::testing::MemoryTiles;
using ::fed::testing::MemoryUpdate;
using ::fed::testing::StatusIs;
using ::testing::HasSubstr;

// Of every kind, so that tiles begin and end within tensors.
const TensorInfo kTensors[] = {
    {"a.half", Dtype::kF16, {30, 100}},  {"b.steps", Dtype::kI64, {3}},
    {"c.brain", Dtype::kBF16, {70, 90}}, {"d.frozen", Dtype::kF32, {50, 50}},
    {"e.wide", Dtype::kF32, {99, 101}},  {"f.local", Dtype::kF32, {7}},
};

std::vector<MemoryUpdate> Updates(std::int64_t values, float scale) {
  std::vector<MemoryUpdate> updates(5);
  for (std::size_t k = 0; k < updates.size(); ++k) {
    RandomStream random(k, RandomPurpose::kTest, 0);
    updates[k].contribution.client = ClientId{absl::StrCat("c", k)};
    updates[k].contribution.weight = static_cast<double>(k + 1);
    for (std::int64_t i = 0; i < values; ++i) {
      updates[k].values.push_back(scale * static_cast<float>(random.Normal()));
    }
  }
  return updates;
}

class FoldTest : public ::testing::Test {
 protected:
  void SetUp() override {
    Parameters base;
    std::uint64_t index = 0;
    for (const TensorInfo& info : kTensors) {
      ASSERT_OK(base.Add(info));
      RandomStream random(1, RandomPurpose::kTest, index);
      if (IsTrainableDtype(info.dtype)) {
        for (float& value : base.values(index)) value = static_cast<float>(random.Normal());
      } else {
        for (auto& byte : base.bytes(index)) byte = static_cast<std::uint8_t>(random.Next());
      }
      ++index;
    }
    ASSERT_OK(SaveSafetensors(files_, "base", base, {{"made_by", "a test"}}));
    ASSERT_OK_AND_ASSIGN(base_, files_.Open("base", FileSystem::Mode::kRead));
    ASSERT_OK_AND_ASSIGN(header_, ReadSafetensorsHeader(*base_));
    ASSERT_OK_AND_ASSIGN(layout_, FlatLayout::Make(kTensors, {{"d.*"}, {"f.*"}}));
    ASSERT_EQ(layout_.values(), 3'000 + 6'300 + 9'999);
  }

  Status FoldInto(const std::string& path, const TileSource& updates, Aggregator& aggregator,
                  int threads) {
    const auto optimizer = MakeOptimizer({"weighted_mean", "sgd", 0.5}).value();
    FED_ASSIGN_OR_RETURN(const auto next, files_.Open(path, FileSystem::Mode::kCreate));
    return FoldGroup({updates, aggregator, *optimizer, layout_, *base_, header_}, *next, threads);
  }

  Status FoldMean(const std::string& path, const MemoryTiles& updates, int threads) {
    const auto make = FindAggregator("weighted_mean").value();
    return FoldInto(path, updates, *make(updates.contributions()).value(), threads);
  }

  std::string Bytes(const std::string& path) { return ReadFile(files_, path, 1 << 24).value(); }

  FakeFiles files_;
  std::unique_ptr<File> base_;
  SafetensorsHeader header_;
  FlatLayout layout_;
};

TEST_F(FoldTest, MovesWhatIsTrainedAndCarriesTheRestOver) {
  const MemoryTiles updates(Updates(layout_.values(), 1.0f));
  ASSERT_OK(FoldMean("next", updates, 2));

  ASSERT_OK_AND_ASSIGN(const Parameters before, LoadSafetensors(files_, "base"));
  ASSERT_OK_AND_ASSIGN(const Parameters after, LoadSafetensors(files_, "next"));
  const std::map<std::string, std::int64_t> first = {
      {"a.half", 0}, {"c.brain", 3'000}, {"e.wide", 9'300}};
  ASSERT_EQ(after.size(), std::size(kTensors));
  for (std::size_t t = 0; t < after.size(); ++t) {
    const TensorInfo& info = after.info(t);
    EXPECT_EQ(info, kTensors[t]);
    if (!IsTrainableDtype(info.dtype)) {
      EXPECT_TRUE(
          std::equal(after.bytes(t).begin(), after.bytes(t).end(), before.bytes(t).begin()));
      continue;
    }
    const auto at = first.find(info.name);
    for (std::size_t i = 0; i < after.values(t).size(); ++i) {
      double expected = before.values(t)[i];
      if (at != first.end()) {
        double sum = 0;
        for (const MemoryUpdate& update : updates.updates()) {
          sum += update.contribution.weight *
                 static_cast<double>(update.values[static_cast<std::size_t>(at->second) + i]);
        }
        expected += 0.5 * static_cast<double>(static_cast<float>(sum / 15));
      }
      float stored = static_cast<float>(expected);
      if (info.dtype == Dtype::kF16) stored = HalfToFloat(FloatToHalf(stored));
      if (info.dtype == Dtype::kBF16) stored = Bfloat16ToFloat(FloatToBfloat16(stored));
      ASSERT_EQ(after.values(t)[i], stored) << info.name << " value " << i;
    }
  }
}

TEST_F(FoldTest, KeepsTheHeaderAndWhatDoesNotMoveByteForByte) {
  ASSERT_OK(FoldMean("next", MemoryTiles(Updates(layout_.values(), 1.0f)), 1));
  const std::string before = Bytes("base"), after = Bytes("next");
  ASSERT_EQ(after.size(), before.size());
  const auto header = static_cast<std::size_t>(header_.header_bytes);
  EXPECT_EQ(after.substr(0, header), before.substr(0, header));
  for (const auto& entry : header_.entries) {
    const auto offset = static_cast<std::size_t>(entry.offset);
    const auto bytes = static_cast<std::size_t>(entry.bytes);
    const bool moved = RoleOf(entry.info, {{"d.*"}, {"f.*"}}) == TensorRole::kTrainable;
    EXPECT_EQ(after.substr(offset, bytes) != before.substr(offset, bytes), moved)
        << entry.info.name;
  }
}

TEST_F(FoldTest, GivesEqualBytesWhateverTheThreadsAndTheOrderOfArrival) {
  std::vector<MemoryUpdate> updates = Updates(layout_.values(), 1.0f);
  ASSERT_OK(FoldMean("one", MemoryTiles(updates), 1));
  for (const int threads : {2, 7}) {
    RandomStream(static_cast<std::uint64_t>(threads), RandomPurpose::kTest, 0).Shuffle(updates);
    ASSERT_OK(FoldMean("many", MemoryTiles(updates), threads));
    EXPECT_EQ(Bytes("many"), Bytes("one")) << threads;
  }
}

TEST_F(FoldTest, UpdatesOfZerosLeaveTheModelAsItIs) {
  ASSERT_OK(FoldMean("next", MemoryTiles(Updates(layout_.values(), 0.0f)), 2));
  EXPECT_EQ(Bytes("next"), Bytes("base"));
}

TEST_F(FoldTest, PassesOnWhichUpdateIsBad) {
  MemoryTiles updates(Updates(layout_.values(), 1.0f));
  updates.Corrupt(2, 1);
  EXPECT_THAT(FoldMean("next", updates, 2),
              StatusIs(StatusCode::kDataLoss, "row 2, tile 1 is bad"));
}

TEST_F(FoldTest, RefusesUpdatesOfAnotherSize) {
  EXPECT_THAT(FoldMean("next", MemoryTiles(Updates(layout_.values() - 1, 1.0f)), 1),
              StatusIs(StatusCode::kInternal, HasSubstr("tile 2 has 2914 values: expected 2915")));
  EXPECT_THAT(FoldMean("next", MemoryTiles(Updates(8'193, 1.0f)), 1),
              StatusIs(StatusCode::kInternal, HasSubstr("updates of 2 tiles: expected 3")));
}

TEST_F(FoldTest, NamesTheTensorThatWouldNotBeFinite) {
  std::vector<MemoryUpdate> updates = Updates(layout_.values(), 0.0f);
  updates.resize(1);
  const auto with = [&](std::size_t place, float value) {
    std::vector<MemoryUpdate> changed = updates;
    changed[0].values[place] = value;
    return FoldMean("next", MemoryTiles(changed), 1);
  };
  const auto names = [](const char* tensor) {
    return StatusIs(StatusCode::kFailedPrecondition,
                    HasSubstr(absl::StrCat("tensor ", tensor, " would hold a value that is not")));
  };

  EXPECT_THAT(with(2'999, 131'100.0f), names("a.half"));  // halved: above 65,520
  EXPECT_THAT(with(3'000, 131'100.0f), IsOk()) << "BF16 holds it";
  EXPECT_THAT(with(2'999, 130'900.0f), IsOk());
  const float largest = std::numeric_limits<float>::max();
  EXPECT_THAT(with(9'300, largest), IsOk());
  EXPECT_THAT(with(9'299, largest), IsOk()) << "half of it";
}

// A full disk at any write: the fold says so, and a second one writes what the first should have.
TEST_F(FoldTest, CanBeRepeatedAfterAFullDiskAtAnyWrite) {
  const MemoryTiles updates(Updates(layout_.values(), 1.0f));
  ASSERT_OK(FoldMean("whole", updates, 1));
  ASSERT_OK(FoldMean("next", MemoryTiles(Updates(layout_.values(), 9.0f)), 1));
  int failures = 0;
  for (int n = 1;; ++n) {
    files_.FailAt(n, StatusCode::kResourceExhausted);
    const Status status = FoldMean("next", updates, 1);
    files_.FailAt(0);
    if (status.ok()) break;
    ++failures;
    EXPECT_EQ(status.code(), StatusCode::kResourceExhausted);
    ASSERT_OK(FoldMean("next", updates, 1));
    ASSERT_EQ(Bytes("next"), Bytes("whole")) << "after failure " << n;
  }
  EXPECT_GT(failures, 8);
}

// Looks three times; what it saw must come in tile order and in one look at a time.
class Looker final : public Aggregator {
 public:
  explicit Looker(std::int64_t tiles) : tiles_(tiles) {}
  bool WantsLook() const override { return looks_ < 3; }
  StatusOr<std::vector<double>> Look(Tile& tile) const override {
    FED_ASSIGN_OR_RETURN(const auto rows, tile.AllRows());
    return std::vector<double>{static_cast<double>(rows[0]), static_cast<double>(looks_)};
  }
  void Learn(absl::Span<const double> part) override { seen_.emplace_back(part[0], part[1]); }
  Status EndLook() override {
    const auto expected = static_cast<std::size_t>((looks_ + 1) * tiles_);
    if (seen_.size() != expected) return Status(StatusCode::kInternal, "a look was not whole");
    ++looks_;
    return Status();
  }
  Status Combine(Tile&, absl::Span<float> out) const override {
    std::fill(out.begin(), out.end(), 0.0f);
    return Status();
  }
  const std::vector<std::pair<double, double>>& seen() const { return seen_; }

 private:
  const std::int64_t tiles_;
  std::int64_t looks_ = 0;
  std::vector<std::pair<double, double>> seen_;
};

TEST(FoldLookTest, LearnsEachLookInTileOrder) {
  constexpr std::int64_t kTiles = 40, kValues = kTiles * kTileValues;
  FakeFiles files;
  Parameters base;
  ASSERT_OK(base.Add({"w", Dtype::kF32, {kValues}}));
  ASSERT_OK(SaveSafetensors(files, "base", base));
  ASSERT_OK_AND_ASSIGN(const auto file, files.Open("base", FileSystem::Mode::kRead));
  ASSERT_OK_AND_ASSIGN(const auto header, ReadSafetensorsHeader(*file));
  ASSERT_OK_AND_ASSIGN(const auto layout, FlatLayout::Make({{"w", Dtype::kF32, {kValues}}}, {}));
  MemoryUpdate update;
  update.contribution.weight = 1;
  for (std::int64_t i = 0; i < kValues; ++i) {
    update.values.push_back(static_cast<float>(i / kTileValues));
  }
  const MemoryTiles updates({update});
  const auto optimizer = MakeOptimizer({"", "sgd", 1.0}).value();

  for (const int threads : {1, 2, 7}) {
    Looker looker(kTiles);
    ASSERT_OK_AND_ASSIGN(const auto next, files.Open("next", FileSystem::Mode::kCreate));
    ASSERT_OK(FoldGroup({updates, looker, *optimizer, layout, *file, header}, *next, threads));
    ASSERT_EQ(looker.seen().size(), 3u * kTiles);
    for (std::size_t i = 0; i < looker.seen().size(); ++i) {
      EXPECT_EQ(looker.seen()[i].first, static_cast<double>(i % kTiles));
      EXPECT_EQ(looker.seen()[i].second, static_cast<double>(i / kTiles));
    }
  }
}

}  // namespace
}  // namespace fed::server
