// Two passes over the places of a file: room for header and table is kept, tiles are written, then
// the table that names them.
#include "client_sdk/update/update_builder.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client_sdk/update/tile_values.h"
#include "common/base/limits.h"
#include "common/base/random.h"
#include "common/codec/codec.h"
#include "common/codec/update_format.h"

namespace fed::client {
namespace {

constexpr absl::string_view kDelta = "delta";

using Scalars = std::map<std::string, double>;

StatusOr<Scalars> TakeScalars(const UpdateSpec& spec, const Scalars& returned, const Log& log) {
  Scalars taken;
  std::vector<std::string> dropped;
  for (const auto& [name, value] : returned) {
    if (std::find(spec.scalars.begin(), spec.scalars.end(), name) == spec.scalars.end()) {
      dropped.push_back(name);
      continue;
    }
    if (!std::isfinite(value)) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("trainer returned scalar '", name, "' that is not finite"));
    }
    taken[name] = value;
  }
  if (!dropped.empty()) {
    log.Info("update.scalars_dropped",
             {{"job", spec.job.value}, {"names", absl::StrJoin(dropped, ",")}});
  }
  return taken;
}

std::vector<TensorInfo> InfosOf(const Parameters& parameters) {
  std::vector<TensorInfo> infos;
  infos.reserve(parameters.size());
  for (std::size_t i = 0; i < parameters.size(); ++i) infos.push_back(parameters.info(i));
  return infos;
}

StatusOr<std::vector<TileValues>> SourcesOf(const UpdateSpec& spec, const FlatLayout& layout,
                                            const Parameters& base, const TrainResult& trained) {
  std::vector<TileValues> sources;
  for (const std::string& group : spec.groups) {
    if (group == kDelta) {
      FED_ASSIGN_OR_RETURN(TileValues values, TileValues::Delta(layout, base, trained.parameters));
      sources.push_back(std::move(values));
      continue;
    }
    const auto found = trained.groups.find(group);
    if (found == trained.groups.end()) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("trainer returned no group '", group, "', which the job expects"));
    }
    FED_ASSIGN_OR_RETURN(TileValues values, TileValues::Group(layout, group, found->second));
    sources.push_back(std::move(values));
  }
  return sources;
}

UpdateHeader HeaderOf(const UpdateSpec& spec, const FlatLayout& layout, Scalars scalars) {
  UpdateHeader header;
  header.job = spec.job;
  header.assignment = spec.assignment;
  header.base = spec.base;
  header.layout = layout.digest();
  header.codec = spec.codec;
  for (const std::string& group : spec.groups) header.groups.push_back({group, layout.values()});
  header.scalars = std::move(scalars);
  return header;
}

// Encodes tiles one after the other to a growing end of a file.
class TileWriter {
 public:
  TileWriter(const Codec& codec, std::uint64_t seed, File& out, std::int64_t first_byte)
      : codec_(codec), seed_(seed), out_(out), end_(first_byte) {}

  Status Write(const TileValues& source, std::int64_t values) {
    for (std::int64_t first = 0; first < values; first += kTileValues) {
      values_.resize(static_cast<std::size_t>(std::min(kTileValues, values - first)));
      FED_RETURN_IF_ERROR(source.Fill(first, absl::MakeSpan(values_)));
      RandomStream random(seed_, RandomPurpose::kCodec, table_.size());
      bytes_.clear();
      FED_RETURN_IF_ERROR(codec_.EncodeTile(values_, random, bytes_));
      FED_RETURN_IF_ERROR(out_.WriteAt(end_, bytes_));
      end_ += static_cast<std::int64_t>(bytes_.size());
      table_.push_back({static_cast<std::uint32_t>(bytes_.size()), Sha256(bytes_)});
    }
    return {};
  }

  const std::vector<TileEntry>& table() const { return table_; }
  std::int64_t end() const { return end_; }

 private:
  const Codec& codec_;
  const std::uint64_t seed_;
  File& out_;
  std::int64_t end_;
  std::vector<float> values_;
  std::vector<std::uint8_t> bytes_;
  std::vector<TileEntry> table_;
};

Status Damaged(absl::string_view what) {
  return Status(StatusCode::kDataLoss, absl::StrCat("stored update: ", what));
}

StatusOr<std::vector<std::uint8_t>> ReadRange(const File& file, std::int64_t offset,
                                              std::int64_t bytes, std::int64_t file_bytes) {
  if (offset > file_bytes - bytes) return Damaged(absl::StrCat("it ends at byte ", file_bytes));
  std::vector<std::uint8_t> out(static_cast<std::size_t>(bytes));
  FED_RETURN_IF_ERROR(file.ReadAt(offset, absl::MakeSpan(out)));
  return out;
}

Status CheckTiles(const File& file, absl::Span<const TileEntry> table, std::int64_t offset,
                  std::int64_t file_bytes) {
  for (std::size_t i = 0; i < table.size(); ++i) {
    FED_ASSIGN_OR_RETURN(const auto tile, ReadRange(file, offset, table[i].bytes, file_bytes));
    if (Sha256(tile) != table[i].digest) return Damaged(absl::StrCat("tile ", i, " is another"));
    offset += table[i].bytes;
  }
  if (offset == file_bytes) return {};
  return Damaged(absl::StrCat(file_bytes - offset, " bytes after its end"));
}

}  // namespace

StatusOr<EncodedUpdate> WriteUpdate(const UpdateSpec& spec, const Parameters& base,
                                    const TrainResult& trained, File& out, const Log& log) {
  FED_ASSIGN_OR_RETURN(const Codec* codec, FindCodec(spec.codec));
  FED_ASSIGN_OR_RETURN(const FlatLayout layout, FlatLayout::Make(InfosOf(base), spec.patterns));
  FED_ASSIGN_OR_RETURN(const auto sources, SourcesOf(spec, layout, base, trained));
  FED_ASSIGN_OR_RETURN(Scalars scalars, TakeScalars(spec, trained.scalars, log));
  const UpdateHeader header = HeaderOf(spec, layout, std::move(scalars));
  FED_ASSIGN_OR_RETURN(const auto header_bytes, EncodeUpdateHeader(header));

  EncodedUpdate update;
  update.header_bytes = static_cast<std::int64_t>(header_bytes.size());
  update.table_bytes = header.tiles() * kTileEntryBytes;
  FED_RETURN_IF_ERROR(out.Truncate(0));
  TileWriter tiles(*codec, spec.seed, out, update.header_bytes + update.table_bytes);
  for (const TileValues& source : sources) {
    FED_RETURN_IF_ERROR(tiles.Write(source, layout.values()));
  }

  const std::vector<std::uint8_t> table = EncodeTileTable(tiles.table());
  FED_RETURN_IF_ERROR(out.WriteAt(0, header_bytes));
  FED_RETURN_IF_ERROR(out.WriteAt(update.header_bytes, table));
  update.digest = UpdateDigest(header_bytes, table);
  update.total_bytes = tiles.end();
  return update;
}

StatusOr<EncodedUpdate> CheckUpdate(const File& file) {
  FED_ASSIGN_OR_RETURN(const std::int64_t file_bytes, file.size());
  FED_ASSIGN_OR_RETURN(const auto prefix, ReadRange(file, 0, kUpdatePrefixBytes, file_bytes));
  EncodedUpdate update;
  const StatusOr<std::int64_t> header_bytes = UpdateHeaderBytes(prefix);
  if (!header_bytes.ok()) return Damaged(header_bytes.status().message());
  update.header_bytes = *header_bytes;
  FED_ASSIGN_OR_RETURN(const auto header, ReadRange(file, 0, update.header_bytes, file_bytes));
  const StatusOr<UpdateHeader> decoded = DecodeUpdateHeader(header);
  if (!decoded.ok()) return Damaged(decoded.status().message());
  if (decoded->tiles() > file_bytes / kTileEntryBytes) return Damaged("it ends within its table");
  update.table_bytes = decoded->tiles() * kTileEntryBytes;
  FED_ASSIGN_OR_RETURN(const auto table,
                       ReadRange(file, update.header_bytes, update.table_bytes, file_bytes));
  const StatusOr<std::vector<TileEntry>> tiles = DecodeTileTable(table);
  if (!tiles.ok()) return Damaged(tiles.status().message());
  FED_RETURN_IF_ERROR(
      CheckTiles(file, *tiles, update.header_bytes + update.table_bytes, file_bytes));
  update.digest = UpdateDigest(header, table);
  update.total_bytes = file_bytes;
  return update;
}

}  // namespace fed::client
