// 1. checked_ is the end of the tile before tile_, or 0 before the first one.
// 2. What is not checked is held in head_ or part_ and nowhere else: Rewind drops both.
#include "server/ingest/update_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"
#include "common/crypto/digest.h"
#include "server/ingest/terms_check.h"

namespace fed::server {
namespace {

template <typename... Parts>
Status Invalid(const Parts&... parts) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat(parts...));
}

}  // namespace

StatusOr<UpdateReader> UpdateReader::Make(UpdateTerms terms, wire::UploadBegin begin) {
  const StatusOr<const Codec*> codec = FindCodec(terms.codec);
  if (!codec.ok()) return Status(StatusCode::kFailedPrecondition, codec.status().message());
  FED_RETURN_IF_ERROR(CheckAnnounced(begin, terms, **codec));
  std::sort(terms.groups.begin(), terms.groups.end(),
            [](const UpdateGroup& a, const UpdateGroup& b) { return a.name < b.name; });
  return UpdateReader(std::move(terms), std::move(begin), **codec);
}

UpdateReader::UpdateReader(UpdateTerms terms, wire::UploadBegin begin, const Codec& codec)
    : terms_(std::move(terms)), begin_(std::move(begin)), codec_(&codec) {
  UpdateHeader counted;
  for (const UpdateGroup& group : terms_.groups) {
    if (group.name == "delta") delta_first_ = counted.tiles();
    counted.groups.push_back(group);
    if (group.name == "delta") delta_last_ = counted.tiles();
  }
}

Status UpdateReader::Add(absl::Span<const std::uint8_t> bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > begin_.total_bytes - offset_) {
    return Invalid("bytes beyond the announced end at ", begin_.total_bytes);
  }
  if (offset_ < head_bytes()) {
    bytes.remove_prefix(TakeHead(bytes));
    if (offset_ < head_bytes()) return {};
    FED_RETURN_IF_ERROR(CheckHead());
  }
  // A codec may have an encoding without bytes: such a tile needs none to be whole.
  while (!all_tiles() && (!bytes.empty() || tile().bytes == 0)) {
    FED_RETURN_IF_ERROR(AddToTile(bytes));
  }
  return {};
}

std::size_t UpdateReader::TakeHead(absl::Span<const std::uint8_t> bytes) {
  const auto missing = static_cast<std::size_t>(head_bytes() - offset_);
  const auto taken = bytes.first(std::min(missing, bytes.size()));
  head_.insert(head_.end(), taken.begin(), taken.end());
  offset_ += static_cast<std::int64_t>(taken.size());
  return taken.size();
}

Status UpdateReader::CheckHead() {
  const absl::Span<const std::uint8_t> head(head_);
  const auto header = head.first(static_cast<std::size_t>(begin_.header_bytes));
  const auto table = head.subspan(header.size());
  FED_ASSIGN_OR_RETURN(const std::int64_t length,
                       UpdateHeaderBytes(header.first(kUpdatePrefixBytes)));
  if (length != begin_.header_bytes) {
    return Invalid("header says that it has ", length, " bytes: ", begin_.header_bytes,
                   " were announced");
  }
  const Digest digest = UpdateDigest(header, table);
  if (digest != begin_.digest) {
    return Invalid("header and tile table have digest ", digest.ToHex(), ": ",
                   begin_.digest.ToHex(), " was announced");
  }
  FED_ASSIGN_OR_RETURN(header_, DecodeUpdateHeader(header));
  FED_RETURN_IF_ERROR(CheckHeader(header_, begin_.ref, terms_));
  FED_ASSIGN_OR_RETURN(std::vector<TileEntry> entries, DecodeTileTable(table));
  FED_RETURN_IF_ERROR(CheckTable(entries, header_, begin_, *codec_));
  table_ = std::move(entries);
  head_ = {};
  return {};
}

Status UpdateReader::AddToTile(absl::Span<const std::uint8_t>& bytes) {
  const std::size_t length = tile().bytes;
  const auto taken = bytes.first(std::min(length - part_.size(), bytes.size()));
  bytes.remove_prefix(taken.size());
  offset_ += static_cast<std::int64_t>(taken.size());
  if (taken.size() == length) return CheckTile(taken);  // whole in one piece: not copied
  part_.insert(part_.end(), taken.begin(), taken.end());
  if (part_.size() < length) return {};
  FED_RETURN_IF_ERROR(CheckTile(part_));
  part_.clear();
  return {};
}

Status UpdateReader::CheckTile(absl::Span<const std::uint8_t> bytes) {
  if (Sha256(bytes) != tile().digest) {
    return Invalid("tile ", tile_, " does not match its digest in the tile table");
  }
  values_.resize(static_cast<std::size_t>(header_.tile_values(tile_)));
  if (Status decoded = codec_->DecodeTile(bytes, absl::MakeSpan(values_)); !decoded.ok()) {
    return Invalid("tile ", tile_, ": ", decoded.message());
  }
  double squares = 0;
  for (const float value : values_) {
    if (!std::isfinite(value)) return Invalid("tile ", tile_, " has a value that is not finite");
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  if (tile_ >= delta_first_ && tile_ < delta_last_) {
    squares += delta_squares_;
    if (tile_ + 1 == delta_last_) FED_RETURN_IF_ERROR(CheckNorm(std::sqrt(squares)));
    delta_squares_ = squares;
  }
  ++tile_;
  checked_ = offset_;
  return {};
}

Status UpdateReader::CheckNorm(double norm) const {
  if (terms_.max_norm <= 0 || norm <= terms_.max_norm) return {};
  return Invalid("group 'delta' has norm ", norm, ": the job takes at most ", terms_.max_norm);
}

void UpdateReader::SkipTo(const UpdateProgress& progress) {
  FED_CHECK(tile_ == 0 && part_.empty() && offset_ == head_bytes() &&
            progress.tiles <= static_cast<std::int64_t>(table_.size()));
  for (; tile_ < progress.tiles; ++tile_) offset_ += tile().bytes;
  if (tile_ > 0) checked_ = offset_;
  delta_squares_ = progress.delta_squares;
}

void UpdateReader::Rewind() {
  offset_ = checked_;
  head_ = {};
  part_.clear();
  if (checked_ > 0) return;
  table_.clear();
  delta_squares_ = 0;
}

double UpdateReader::weight() const { return WeightOf(header_, terms_); }

double UpdateReader::norm() const { return std::sqrt(delta_squares_); }

}  // namespace fed::server
