// The second pass: rows are updates, columns are tiles; nothing is read before it is asked for.
#include "server/ingest/spool_source.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/base/limits.h"
#include "server/ingest/spooled_update.h"

namespace fed::server {
namespace {

struct SpoolRow {
  Receipt receipt;
  SpooledUpdate update;
};

// Where a group's tiles lie among those of an update.
struct GroupPlace {
  std::int64_t first = 0, count = 0, values = 0;
};

class SpoolTile final : public Tile {
 public:
  SpoolTile(absl::Span<const SpoolRow> rows, std::int64_t tile, std::size_t values)
      : rows_(rows), tile_(tile), values_(values) {}

  std::size_t rows() const override { return rows_.size(); }
  std::size_t values() const override { return values_; }

  StatusOr<absl::Span<const float>> Row(std::size_t k) override {
    one_.resize(values_);
    FED_RETURN_IF_ERROR(Read(k, absl::MakeSpan(one_)));
    return absl::Span<const float>(one_);
  }

  StatusOr<absl::Span<const float>> AllRows() override {
    all_.resize(rows_.size() * values_);
    for (std::size_t k = 0; k < rows_.size(); ++k) {
      FED_RETURN_IF_ERROR(Read(k, absl::MakeSpan(all_).subspan(k * values_, values_)));
    }
    return absl::Span<const float>(all_);
  }

 private:
  Status Read(std::size_t k, absl::Span<float> out) {
    const Status status = rows_[k].update.ReadTile(tile_, out, encoded_);
    if (status.ok()) return status;
    return Status(status.code(),
                  absl::StrCat("update of assignment ", rows_[k].receipt.assignment.value, ": ",
                               status.message()));
  }

  const absl::Span<const SpoolRow> rows_;
  const std::int64_t tile_;
  const std::size_t values_;
  std::vector<std::uint8_t> encoded_;
  std::vector<float> one_, all_;
};

class SpoolSource final : public TileSource {
 public:
  SpoolSource(absl::Span<const SpoolRow> rows, GroupPlace place) : rows_(rows), place_(place) {}

  std::int64_t tiles() const override { return place_.count; }

  StatusOr<std::unique_ptr<Tile>> Open(std::int64_t tile) const override {
    if (tile < 0 || tile >= place_.count) {
      return Status(StatusCode::kOutOfRange,
                    absl::StrCat("tile ", tile, ": the group has ", place_.count));
    }
    const std::int64_t values = std::min(kTileValues, place_.values - tile * kTileValues);
    return std::unique_ptr<Tile>(
        std::make_unique<SpoolTile>(rows_, place_.first + tile, static_cast<std::size_t>(values)));
  }

 private:
  const absl::Span<const SpoolRow> rows_;
  const GroupPlace place_;
};

class RoundReader final : public SpoolReader {
 public:
  // kUnavailable: the disk failed, try again.
  Status Add(const Spool& spool, const Receipt& receipt, bool verify) {
    StatusOr<std::unique_ptr<File>> file = spool.OpenForReading(receipt);
    if (!file.ok()) return Judge(receipt, file.status());
    StatusOr<SpooledUpdate> update = SpooledUpdate::Open(*std::move(file), receipt, verify);
    if (!update.ok()) return Judge(receipt, update.status());
    if (!rows_.empty() && update->header().groups != rows_.front().update.header().groups) {
      return Judge(receipt, Status(StatusCode::kDataLoss, "its groups are not the round's"));
    }
    rows_.push_back(SpoolRow{receipt, *std::move(update)});
    receipts_.push_back(receipt);
    return {};
  }

  const std::vector<Bad>& bad() const override { return bad_; }
  const std::vector<Receipt>& receipts() const override { return receipts_; }

  StatusOr<std::unique_ptr<TileSource>> Group(const std::string& name) const override {
    GroupPlace place;
    const std::vector<UpdateGroup> none;
    for (const UpdateGroup& group : rows_.empty() ? none : rows_.front().update.header().groups) {
      place.values = group.values;
      place.count = (group.values + kTileValues - 1) / kTileValues;
      if (group.name == name) {
        return std::unique_ptr<TileSource>(std::make_unique<SpoolSource>(rows_, place));
      }
      place.first += place.count;
    }
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("the round's updates have no group '", name, "'"));
  }

 private:
  // A failing disk says nothing of the update: only what can never become good is bad.
  Status Judge(const Receipt& receipt, const Status& status) {
    if (status.code() != StatusCode::kDataLoss && status.code() != StatusCode::kNotFound) {
      return status;
    }
    bad_.push_back({receipt.assignment, status.message()});
    return {};
  }

  std::vector<SpoolRow> rows_;
  std::vector<Receipt> receipts_;
  std::vector<Bad> bad_;
};

}  // namespace

StatusOr<std::unique_ptr<SpoolReader>> SpoolReader::Open(const Spool& spool,
                                                         std::vector<Receipt> receipts,
                                                         bool verify) {
  std::sort(receipts.begin(), receipts.end(), [](const Receipt& a, const Receipt& b) {
    return std::tie(a.client, a.assignment) < std::tie(b.client, b.assignment);
  });
  auto reader = std::make_unique<RoundReader>();
  for (const Receipt& receipt : receipts) {
    FED_RETURN_IF_ERROR(reader->Add(spool, receipt, verify));
  }
  return std::unique_ptr<SpoolReader>(std::move(reader));
}

}  // namespace fed::server
