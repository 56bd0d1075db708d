// Encoding, and decoding that accepts only what encoding makes: one update has one form.
#include "common/codec/update_format.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"

namespace fed {
namespace {

constexpr absl::string_view kMagic = "fedu";
constexpr std::uint32_t kFormat = 1;

Status Malformed(absl::string_view what) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat("update header: ", what));
}

std::int64_t TilesOf(std::int64_t values) {
  return values / kTileValues + (values % kTileValues != 0 ? 1 : 0);
}

bool IsPrintableAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

Status CheckName(absl::string_view what, absl::string_view name) {
  if (!name.empty() && name.size() <= static_cast<std::size_t>(kMaxNameBytes) &&
      IsPrintableAscii(name)) {
    return {};
  }
  return Malformed(absl::StrCat(what, " name \"", absl::CHexEscape(name.substr(0, 64)),
                                "\": expected 1 to ", kMaxNameBytes,
                                " printable ASCII characters"));
}

Status CheckJob(const JobId& job) {
  const std::string& name = job.value;
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
  if (plain && !name.empty() && name.size() <= static_cast<std::size_t>(kMaxJobNameBytes)) {
    return {};
  }
  return Malformed(absl::StrCat("job \"", absl::CHexEscape(name.substr(0, 64)),
                                "\": expected 1 to ", kMaxJobNameBytes, " of a-z, 0-9, '-'"));
}

Status CheckGroups(const std::vector<UpdateGroup>& groups) {
  if (groups.empty() || groups.size() > static_cast<std::size_t>(kMaxGroups)) {
    return Malformed(absl::StrCat(groups.size(), " groups: expected 1 to ", kMaxGroups));
  }
  // All groups together are countable in bytes of any codec.
  constexpr auto kMostValues = std::numeric_limits<std::int64_t>::max() / kMaxGroups / 64;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    FED_RETURN_IF_ERROR(CheckName("group", groups[i].name));
    if (groups[i].values < 1 || groups[i].values > kMostValues) {
      return Malformed(absl::StrCat("group ", groups[i].name, " of ", groups[i].values,
                                    " values: expected 1 to ", kMostValues));
    }
    if (i > 0 && groups[i - 1].name >= groups[i].name) {
      return Malformed(absl::StrCat("group ", groups[i].name, " after ", groups[i - 1].name,
                                    ": not sorted by name"));
    }
  }
  return {};
}

Status CheckScalar(absl::string_view name, double value) {
  FED_RETURN_IF_ERROR(CheckName("scalar", name));
  if (std::isfinite(value)) return {};
  return Malformed(absl::StrCat("scalar ", name, " is ", value, ": not finite"));
}

Status CheckHeader(const UpdateHeader& header) {
  FED_RETURN_IF_ERROR(CheckJob(header.job));
  if (header.assignment.value < 0 || header.base.value < 0) {
    return Malformed(absl::StrCat("assignment ", header.assignment.value, ", base version ",
                                  header.base.value, ": expected no negative numbers"));
  }
  FED_RETURN_IF_ERROR(CheckName("codec", header.codec));
  FED_RETURN_IF_ERROR(CheckGroups(header.groups));
  if (header.scalars.size() > static_cast<std::size_t>(kMaxScalars)) {
    return Malformed(absl::StrCat(header.scalars.size(), " scalars: at most ", kMaxScalars));
  }
  for (const auto& [name, value] : header.scalars) {
    FED_RETURN_IF_ERROR(CheckScalar(name, value));
  }
  return {};
}

// Counts are checked before anything is read by them. What is cut off reads as zeros and is found
// out at the end.
Status ReadGroups(ByteReader& reader, std::vector<UpdateGroup>& groups) {
  const int count = reader.U16();
  if (count > kMaxGroups) {
    return Malformed(absl::StrCat(count, " groups: expected 1 to ", kMaxGroups));
  }
  for (int i = 0; i < count && reader.ok(); ++i) {
    UpdateGroup& group = groups.emplace_back();
    group.name = reader.ShortText();
    group.values = reader.I64();
  }
  return {};
}

Status ReadScalars(ByteReader& reader, std::map<std::string, double>& scalars) {
  const int count = reader.U16();
  if (count > kMaxScalars) {
    return Malformed(absl::StrCat(count, " scalars: at most ", kMaxScalars));
  }
  for (int i = 0; i < count && reader.ok(); ++i) {
    const std::string name = reader.ShortText();
    const double value = reader.F64();
    if (!reader.ok()) break;
    if (!scalars.empty() && scalars.rbegin()->first >= name) {
      return Malformed(absl::StrCat("scalar ", absl::CHexEscape(name.substr(0, 64)), " after ",
                                    absl::CHexEscape(scalars.rbegin()->first.substr(0, 64)),
                                    ": not sorted by name"));
    }
    scalars.emplace_hint(scalars.end(), name, value);
  }
  return {};
}

}  // namespace

std::int64_t UpdateHeader::tiles() const {
  std::int64_t tiles = 0;
  for (const UpdateGroup& group : groups) tiles += TilesOf(group.values);
  return tiles;
}

std::int64_t UpdateHeader::tile_values(std::int64_t tile) const {
  FED_CHECK(tile >= 0);
  for (const UpdateGroup& group : groups) {
    const std::int64_t tiles = TilesOf(group.values);
    if (tile < tiles) return std::min(kTileValues, group.values - tile * kTileValues);
    tile -= tiles;
  }
  CheckFailed(__FILE__, __LINE__, "tile < tiles()");
}

StatusOr<std::vector<std::uint8_t>> EncodeUpdateHeader(const UpdateHeader& header) {
  FED_RETURN_IF_ERROR(CheckHeader(header));
  std::vector<std::uint8_t> body;
  ByteWriter writer(body);
  writer.ShortText(header.job.value);
  writer.I64(header.assignment.value);
  writer.I64(header.base.value);
  writer.Raw(header.layout.bytes);
  writer.ShortText(header.codec);
  writer.U16(static_cast<std::uint16_t>(header.groups.size()));
  for (const UpdateGroup& group : header.groups) {
    writer.ShortText(group.name);
    writer.I64(group.values);
  }
  writer.U16(static_cast<std::uint16_t>(header.scalars.size()));
  for (const auto& [name, value] : header.scalars) {
    writer.ShortText(name);
    writer.F64(value);
  }
  const std::size_t size = static_cast<std::size_t>(kUpdatePrefixBytes) + body.size();
  if (size > static_cast<std::size_t>(kMaxUpdateHeaderBytes)) {
    return Malformed(absl::StrCat(size, " bytes: at most ", kMaxUpdateHeaderBytes));
  }
  std::vector<std::uint8_t> bytes;
  ByteWriter whole(bytes);
  whole.Raw(AsBytes(kMagic));
  whole.U32(kFormat);
  whole.U32(static_cast<std::uint32_t>(size));
  whole.Raw(body);
  return bytes;
}

StatusOr<std::int64_t> UpdateHeaderBytes(absl::Span<const std::uint8_t> prefix) {
  ByteReader reader(prefix);
  const absl::string_view magic = AsText(reader.Raw(kMagic.size()));
  const std::uint32_t format = reader.U32();
  const std::int64_t bytes = reader.U32();
  if (magic != kMagic)
    return Malformed("these bytes are not an update: no \"fedu\" at their start");
  if (!reader.ok()) return Malformed(absl::StrCat("cut off: ", prefix.size(), " bytes"));
  if (format != kFormat) {
    return Malformed(absl::StrCat("format ", format, ": this build reads format ", kFormat));
  }
  if (bytes <= kUpdatePrefixBytes || bytes > kMaxUpdateHeaderBytes) {
    return Malformed(absl::StrCat("header of ", bytes, " bytes: expected ", kUpdatePrefixBytes + 1,
                                  " to ", kMaxUpdateHeaderBytes));
  }
  return bytes;
}

StatusOr<UpdateHeader> DecodeUpdateHeader(absl::Span<const std::uint8_t> bytes) {
  FED_ASSIGN_OR_RETURN(const std::int64_t expected, UpdateHeaderBytes(bytes));
  if (static_cast<std::int64_t>(bytes.size()) != expected) {
    return Malformed(absl::StrCat(bytes.size(), " bytes: expected ", expected));
  }
  ByteReader reader(bytes.subspan(kUpdatePrefixBytes));
  UpdateHeader header;
  header.job.value = reader.ShortText();
  header.assignment.value = reader.I64();
  header.base.value = reader.I64();
  const auto layout = reader.Raw(header.layout.bytes.size());
  std::copy(layout.begin(), layout.end(), header.layout.bytes.begin());
  header.codec = reader.ShortText();
  FED_RETURN_IF_ERROR(ReadGroups(reader, header.groups));
  FED_RETURN_IF_ERROR(ReadScalars(reader, header.scalars));
  if (!reader.ok()) return Malformed("cut off: its fields need more bytes than it has");
  if (reader.left() != 0) return Malformed(absl::StrCat(reader.left(), " bytes after its end"));
  FED_RETURN_IF_ERROR(CheckHeader(header));
  return header;
}

std::vector<std::uint8_t> EncodeTileTable(absl::Span<const TileEntry> tiles) {
  std::vector<std::uint8_t> bytes;
  bytes.reserve(tiles.size() * static_cast<std::size_t>(kTileEntryBytes));
  ByteWriter writer(bytes);
  for (const TileEntry& tile : tiles) {
    writer.U32(tile.bytes);
    writer.Raw(tile.digest.bytes);
  }
  return bytes;
}

StatusOr<std::vector<TileEntry>> DecodeTileTable(absl::Span<const std::uint8_t> bytes) {
  if (bytes.size() % static_cast<std::size_t>(kTileEntryBytes) != 0) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("tile table of ", bytes.size(), " bytes: expected a multiple of ",
                               kTileEntryBytes));
  }
  std::vector<TileEntry> tiles(bytes.size() / static_cast<std::size_t>(kTileEntryBytes));
  ByteReader reader(bytes);
  for (TileEntry& tile : tiles) {
    tile.bytes = reader.U32();
    const auto digest = reader.Raw(tile.digest.bytes.size());
    std::copy(digest.begin(), digest.end(), tile.digest.bytes.begin());
  }
  return tiles;
}

Digest UpdateDigest(absl::Span<const std::uint8_t> header, absl::Span<const std::uint8_t> table) {
  Hasher hasher;
  hasher.Add(header);
  hasher.Add(table);
  return hasher.Finish();
}

}  // namespace fed
