// Any bytes as an update: the first pass says yes or no, the same in pieces as in one, and never
// more.
//
// Input: piece size, mode, then the update (mode odd), or a header and one tile (mode even), whose
// table is made here so that the fuzzer gets past the digests.
#include <cmath>
#include <cstdint>
#include <vector>

#include "common/base/check.h"
#include "server/ingest/update_reader.h"
#include "tests/testing/update_builder.h"

namespace fed::server {
namespace {

using testing::EncodedUpdate;

UpdateTerms Terms() {
  UpdateTerms terms;
  terms.codec = "fp32";
  terms.groups = {{"delta", 3}};
  terms.scalars = {"examples"};
  terms.weight_scalar = "examples";
  terms.max_weight = 1'000;
  terms.max_norm = 100;
  return terms;
}

// Where a header seems to end: at what it says, if it can be.
std::size_t HeaderEnd(absl::Span<const std::uint8_t> bytes) {
  const auto said = bytes.size() < kUpdatePrefixBytes
                        ? StatusOr<std::int64_t>(Status(StatusCode::kInvalidArgument, ""))
                        : UpdateHeaderBytes(bytes.first(kUpdatePrefixBytes));
  const std::size_t end = said.ok() ? static_cast<std::size_t>(*said) : 90;
  return std::min(end, bytes.size());
}

EncodedUpdate UpdateOf(bool raw, absl::Span<const std::uint8_t> bytes) {
  const std::size_t end = HeaderEnd(bytes);
  const std::vector<std::uint8_t> header(bytes.begin(), bytes.begin() + static_cast<long>(end));
  bytes.remove_prefix(end);
  if (!raw) {
    const std::vector<std::uint8_t> tile(bytes.begin(), bytes.end());
    return testing::JoinUpdate(header, {{static_cast<std::uint32_t>(tile.size()), Sha256(tile)}},
                               {tile});
  }
  EncodedUpdate update = testing::JoinUpdate(header, {}, {});
  const auto table = bytes.first(std::min<std::size_t>(kTileEntryBytes, bytes.size()));
  update.table_bytes = static_cast<std::int64_t>(table.size());
  update.digest = UpdateDigest(header, table);
  update.bytes.append(bytes.begin(), bytes.end());
  return update;
}

Status ReadInPieces(UpdateReader& reader, const EncodedUpdate& update, std::size_t piece) {
  const absl::Span<const std::uint8_t> bytes(
      reinterpret_cast<const std::uint8_t*>(update.bytes.data()), update.bytes.size());
  for (auto at = static_cast<std::size_t>(reader.offset()); at < bytes.size(); at += piece) {
    FED_RETURN_IF_ERROR(reader.Add(bytes.subspan(at, piece)));
  }
  return {};
}

void Check(const EncodedUpdate& update, std::size_t piece) {
  const wire::UploadBegin begin{{JobId{"job-a"}, AssignmentId{1}},
                                update.digest,
                                update.header_bytes,
                                update.table_bytes,
                                update.total_bytes()};
  StatusOr<UpdateReader> whole = UpdateReader::Make(Terms(), begin);
  StatusOr<UpdateReader> pieces = UpdateReader::Make(Terms(), begin);
  FED_CHECK(whole.ok() == pieces.ok());
  if (!whole.ok()) {
    FED_CHECK(whole.status().code() == StatusCode::kInvalidArgument);
    return;
  }

  const Status one = ReadInPieces(whole.value(), update, update.bytes.size());
  const Status many = ReadInPieces(pieces.value(), update, piece);
  FED_CHECK(one.ok() || one.code() == StatusCode::kInvalidArgument);
  FED_CHECK(one.message() == many.message());
  if (one.ok()) {
    FED_CHECK(whole->complete() && pieces->complete());
    FED_CHECK(whole->weight() > 0 && whole->norm() <= 100);
    FED_CHECK(whole->norm() == pieces->norm());
    return;
  }
  pieces.value().Rewind();
  FED_CHECK(ReadInPieces(pieces.value(), update, piece).message() == one.message());
}

}  // namespace
}  // namespace fed::server

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const std::size_t piece = static_cast<std::size_t>(data[0]) + 1;
  fed::server::Check(fed::server::UpdateOf(data[1] % 2 == 1, {data + 2, size - 2}), piece);
  return 0;
}
