// Bytes come in pieces of any size and leave as whole, checked chunks.
#include "client_sdk/session/chunk_assembly.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "common/crypto/digest.h"

namespace fed::client {

StatusOr<bool> ChunkAssembly::Offer(std::size_t i, absl::Span<const std::uint8_t> bytes) {
  if (static_cast<std::int64_t>(bytes.size()) != ChunkBytes(i)) return false;
  if (ChunkDigest(bytes) != file_.chunks[i]) return false;
  FED_RETURN_IF_ERROR(out_->WriteAt(static_cast<std::int64_t>(i) * kChunkBytes, bytes));
  have_[i] = true;
  return true;
}

Status ChunkAssembly::TakeWhatIsThere() {
  FED_ASSIGN_OR_RETURN(const std::int64_t there, out_->size());
  std::vector<std::uint8_t> chunk;
  for (std::size_t i = 0; i < have_.size(); ++i) {
    const std::int64_t first = static_cast<std::int64_t>(i) * kChunkBytes;
    if (first + ChunkBytes(i) > there) return {};
    chunk.resize(static_cast<std::size_t>(ChunkBytes(i)));
    FED_RETURN_IF_ERROR(out_->ReadAt(first, absl::MakeSpan(chunk)));
    have_[i] = ChunkDigest(chunk) == file_.chunks[i];
  }
  return {};
}

std::vector<wire::ChunkRange> ChunkAssembly::missing() const {
  std::vector<wire::ChunkRange> ranges;
  for (std::size_t i = NextMissing(0); i < have_.size(); i = NextMissing(i + 1)) {
    const auto chunk = static_cast<std::int64_t>(i);
    if (!ranges.empty() && ranges.back().first + ranges.back().count == chunk) {
      ++ranges.back().count;
    } else {
      ranges.push_back({chunk, 1});
    }
  }
  return ranges;
}

std::int64_t ChunkAssembly::missing_bytes() const {
  std::int64_t bytes = 0;
  for (std::size_t i = NextMissing(0); i < have_.size(); i = NextMissing(i + 1)) {
    bytes += ChunkBytes(i);
  }
  return bytes;
}

void ChunkAssembly::BeginStream() {
  partial_.clear();
  next_ = NextMissing(0);
}

Status ChunkAssembly::Add(std::int64_t offset, absl::Span<const std::uint8_t> piece) {
  while (!piece.empty()) {
    const auto have = static_cast<std::int64_t>(partial_.size());
    const std::int64_t expected = static_cast<std::int64_t>(next_) * kChunkBytes + have;
    if (next_ >= have_.size() || offset != expected) {
      return Status(StatusCode::kDataLoss,
                    absl::StrCat("download of group ", file_.group, ": got byte ", offset,
                                 ", expected byte ", expected, " of ", file_.bytes));
    }
    const auto take = std::min(piece.size(), static_cast<std::size_t>(ChunkBytes(next_) - have));
    partial_.insert(partial_.end(), piece.begin(), piece.begin() + take);
    piece.remove_prefix(take);
    offset += static_cast<std::int64_t>(take);
    if (static_cast<std::int64_t>(partial_.size()) < ChunkBytes(next_)) continue;
    FED_ASSIGN_OR_RETURN(const bool good, Offer(next_, partial_));
    if (!good) {
      return Status(StatusCode::kDataLoss,
                    absl::StrCat("download of group ", file_.group, ": chunk ", next_,
                                 " does not have its digest"));
    }
    partial_.clear();
    next_ = NextMissing(next_ + 1);
  }
  return {};
}

std::int64_t ChunkAssembly::ChunkBytes(std::size_t i) const {
  return std::min(kChunkBytes, file_.bytes - static_cast<std::int64_t>(i) * kChunkBytes);
}

std::size_t ChunkAssembly::NextMissing(std::size_t from) const {
  while (from < have_.size() && have_[from]) ++from;
  return from;
}

}  // namespace fed::client
