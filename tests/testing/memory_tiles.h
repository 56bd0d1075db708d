// Accepted updates of one group, held in memory: what an aggregator is tested with.
#ifndef FED_TESTS_TESTING_MEMORY_TILES_H_
#define FED_TESTS_TESTING_MEMORY_TILES_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/limits.h"
#include "fed/status.h"
#include "server/aggregate/aggregator.h"
#include "server/aggregate/tile_source.h"

namespace fed::testing {

struct MemoryUpdate {
  server::Contribution contribution;
  std::vector<float> values;
};

// Thread-safe once it is made. Updates may come in any order and have one size, at least 1.
class MemoryTiles final : public server::TileSource {
 public:
  explicit MemoryTiles(std::vector<MemoryUpdate> updates) : updates_(std::move(updates)) {
    std::sort(updates_.begin(), updates_.end(), [](const MemoryUpdate& a, const MemoryUpdate& b) {
      return server::CanonicallyBefore(a.contribution, b.contribution);
    });
  }

  // From now on this tile of the update of that row is kDataLoss.
  void Corrupt(std::size_t row, std::int64_t tile) { corrupt_.emplace_back(row, tile); }

  const std::vector<MemoryUpdate>& updates() const { return updates_; }  // in canonical order
  std::vector<server::Contribution> contributions() const {
    std::vector<server::Contribution> all;
    for (const MemoryUpdate& update : updates_) all.push_back(update.contribution);
    return all;
  }

  std::int64_t tiles() const override {
    return (static_cast<std::int64_t>(updates_.front().values.size()) + kTileValues - 1) /
           kTileValues;
  }
  StatusOr<std::unique_ptr<server::Tile>> Open(std::int64_t tile) const override {
    return std::unique_ptr<server::Tile>(std::make_unique<MemoryTile>(*this, tile));
  }

 private:
  class MemoryTile final : public server::Tile {
   public:
    MemoryTile(const MemoryTiles& all, std::int64_t tile) : all_(all), tile_(tile) {
      const auto first = static_cast<std::size_t>(tile * kTileValues);
      for (const MemoryUpdate& update : all.updates_) {
        rows_.push_back(absl::MakeConstSpan(update.values)
                            .subspan(first, static_cast<std::size_t>(kTileValues)));
      }
    }
    std::size_t rows() const override { return rows_.size(); }
    std::size_t values() const override { return rows_.front().size(); }
    StatusOr<absl::Span<const float>> Row(std::size_t k) override {
      FED_RETURN_IF_ERROR(Check(k));
      one_.assign(rows_[k].begin(), rows_[k].end());  // the row before is gone, as in the spool
      return absl::MakeConstSpan(one_);
    }
    StatusOr<absl::Span<const float>> AllRows() override {
      all_rows_.clear();
      for (std::size_t k = 0; k < rows_.size(); ++k) {
        FED_RETURN_IF_ERROR(Check(k));
        all_rows_.insert(all_rows_.end(), rows_[k].begin(), rows_[k].end());
      }
      return absl::MakeConstSpan(all_rows_);
    }

   private:
    Status Check(std::size_t k) const {
      const auto& corrupt = all_.corrupt_;
      if (std::count(corrupt.begin(), corrupt.end(), std::pair(k, tile_)) == 0) return Status();
      return Status(StatusCode::kDataLoss, absl::StrCat("row ", k, ", tile ", tile_, " is bad"));
    }

    const MemoryTiles& all_;
    const std::int64_t tile_;
    std::vector<absl::Span<const float>> rows_;
    std::vector<float> one_, all_rows_;
  };

  std::vector<MemoryUpdate> updates_;
  std::vector<std::pair<std::size_t, std::int64_t>> corrupt_;
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_MEMORY_TILES_H_
