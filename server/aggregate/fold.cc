// Copy what does not move, look as often as the aggregator wants, then move the rest tile by tile.
//
//   1  What a thread holds: two tiles of values, and what the aggregator holds.
//   2  A value is written by one thread, once; what is measured is learned in tile order.
#include "server/aggregate/fold.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/base/limits.h"
#include "server/aggregate/tile_threads.h"

namespace fed::server {
namespace {

constexpr std::int64_t kCopyBytes = 1 << 20;
constexpr std::int64_t kTilesAThreadAndWave = 16;

Status CopyRange(const File& from, File& to, std::int64_t first, std::int64_t last,
                 std::vector<std::uint8_t>& buffer) {
  while (first < last) {
    buffer.resize(static_cast<std::size_t>(std::min(kCopyBytes, last - first)));
    FED_RETURN_IF_ERROR(from.ReadAt(first, absl::MakeSpan(buffer)));
    FED_RETURN_IF_ERROR(to.WriteAt(first, buffer));
    first += static_cast<std::int64_t>(buffer.size());
  }
  return Status();
}

// The header and every tensor that is not of the layout.
Status CopyUnmoved(const FoldInput& input, File& next) {
  std::set<absl::string_view> moved;
  for (const FlatLayout::Part& part : input.layout.parts()) moved.insert(part.info.name);
  std::vector<std::uint8_t> buffer;
  std::int64_t from = 0;
  FED_RETURN_IF_ERROR(next.Truncate(input.base_header.file_bytes));
  for (const SafetensorsHeader::Entry& entry : input.base_header.entries) {
    if (!moved.contains(entry.info.name)) continue;
    FED_RETURN_IF_ERROR(CopyRange(input.base, next, from, entry.offset, buffer));
    from = entry.offset + entry.bytes;
  }
  return CopyRange(input.base, next, from, input.base_header.file_bytes, buffer);
}

// In waves, so that what was measured is learned in order and never of all tiles at once.
Status LookOnce(const FoldInput& input, int threads) {
  const std::int64_t wave = threads * kTilesAThreadAndWave;
  const std::int64_t tiles = input.updates.tiles();
  for (std::int64_t first = 0; first < tiles; first += wave) {
    const TileRange range{first, std::min(first + wave, tiles)};
    std::vector<std::vector<double>> parts(static_cast<std::size_t>(range.last - first));
    FED_RETURN_IF_ERROR(ForEachTile(range, threads, [&](int, std::int64_t tile) -> Status {
      FED_ASSIGN_OR_RETURN(const auto rows, input.updates.Open(tile));
      FED_ASSIGN_OR_RETURN(parts[static_cast<std::size_t>(tile - first)],
                           input.aggregator.Look(*rows));
      return Status();
    }));
    for (const std::vector<double>& part : parts) input.aggregator.Learn(part);  // 2
  }
  return input.aggregator.EndLook();
}

// The least magnitude that becomes infinite when it is rounded to the dtype.
double LeastInfinite(Dtype dtype) {
  if (dtype == Dtype::kF16) return 65'520.0;
  if (dtype == Dtype::kBF16) return 0x1.FFp127;
  return std::numeric_limits<double>::infinity();
}

// Values too large for their tensor: training that ran away. NaN, too.
Status CheckFinite(const FlatLayout& layout, std::int64_t first, absl::Span<const float> values) {
  Status status;
  layout.ForEachRun(
      first, static_cast<std::int64_t>(values.size()),
      [&](const FlatLayout::Part& part, std::int64_t, std::int64_t count, std::int64_t place) {
        const double limit = LeastInfinite(part.info.dtype);
        const auto run =
            values.subspan(static_cast<std::size_t>(place), static_cast<std::size_t>(count));
        const bool finite = std::all_of(run.begin(), run.end(), [&](float value) {
          return std::abs(static_cast<double>(value)) < limit;
        });
        if (finite || !status.ok()) return;
        status = Status(StatusCode::kFailedPrecondition,
                        absl::StrCat("tensor ", part.info.name,
                                     " would hold a value that is not finite; lower the learning "
                                     "rates or bound the updates' norm"));
      });
  return status;
}

struct Scratch {  // 1
  std::vector<float> parameters, aggregate;
};

Status MoveTile(const FoldInput& input, std::int64_t tile, Scratch& scratch, File& next) {
  const std::int64_t first = tile * kTileValues;
  const auto values =
      static_cast<std::size_t>(std::min(kTileValues, input.layout.values() - first));
  FED_ASSIGN_OR_RETURN(const auto rows, input.updates.Open(tile));
  if (rows->values() != values) {
    return Status(StatusCode::kInternal, absl::StrCat("tile ", tile, " has ", rows->values(),
                                                      " values: expected ", values));
  }
  scratch.parameters.resize(values);
  scratch.aggregate.resize(values);
  const auto parameters = absl::MakeSpan(scratch.parameters);
  FED_RETURN_IF_ERROR(input.aggregator.Combine(*rows, absl::MakeSpan(scratch.aggregate)));
  FED_RETURN_IF_ERROR(ReadFlat(input.base, input.base_header, input.layout, first, parameters));
  input.optimizer.Step(scratch.aggregate, parameters, {});
  FED_RETURN_IF_ERROR(CheckFinite(input.layout, first, parameters));
  return WriteFlat(next, input.base_header, input.layout, first, parameters);
}

}  // namespace

Status FoldGroup(const FoldInput& input, File& next, int threads) {
  FED_CHECK(input.optimizer.state_tensors() == 0);
  if (input.updates.tiles() != input.layout.tiles()) {
    return Status(StatusCode::kInternal, absl::StrCat("updates of ", input.updates.tiles(),
                                                      " tiles: expected ", input.layout.tiles()));
  }
  FED_RETURN_IF_ERROR(CopyUnmoved(input, next));
  while (input.aggregator.WantsLook()) FED_RETURN_IF_ERROR(LookOnce(input, threads));
  std::vector<Scratch> scratch(static_cast<std::size_t>(threads));
  return ForEachTile({0, input.layout.tiles()}, threads, [&](int thread, std::int64_t tile) {
    return MoveTile(input, tile, scratch[static_cast<std::size_t>(thread)], next);
  });
}

}  // namespace fed::server
