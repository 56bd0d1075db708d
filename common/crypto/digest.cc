// SHA-256 by OpenSSL's EVP.
#include "common/crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"

namespace fed {
namespace {

constexpr absl::string_view kFileMagic = "fedfile1";

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

}  // namespace

std::string Digest::ToHex() const { return fed::ToHex(bytes); }

StatusOr<Digest> Digest::FromHex(absl::string_view hex) {
  FED_ASSIGN_OR_RETURN(const std::vector<std::uint8_t> bytes, fed::FromHex(hex));
  return FromBytes(bytes);
}

StatusOr<Digest> Digest::FromBytes(absl::Span<const std::uint8_t> bytes) {
  Digest digest;
  if (bytes.size() != digest.bytes.size()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("digest of ", bytes.size(), " bytes: expected 32"));
  }
  std::copy(bytes.begin(), bytes.end(), digest.bytes.begin());
  return digest;
}

Digest Sha256(absl::Span<const std::uint8_t> bytes) {
  Hasher hasher;
  hasher.Add(bytes);
  return hasher.Finish();
}

Digest Sha256(absl::string_view text) { return Sha256(AsBytes(text)); }

struct Hasher::State {
  std::unique_ptr<EVP_MD_CTX, FreeContext> context{EVP_MD_CTX_new()};
};

Hasher::Hasher() : state_(std::make_unique<State>()) {
  FED_CHECK(state_->context != nullptr);
  FED_CHECK(EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr) == 1);
}

Hasher::~Hasher() = default;

void Hasher::Add(absl::Span<const std::uint8_t> bytes) {
  FED_CHECK(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1);
}

Digest Hasher::Finish() {
  Digest digest;
  FED_CHECK(EVP_DigestFinal_ex(state_->context.get(), digest.bytes.data(), nullptr) == 1);
  // Without a type: looking SHA-256 up again costs more than hashing a small block.
  FED_CHECK(EVP_DigestInit_ex(state_->context.get(), nullptr, nullptr) == 1);
  return digest;
}

void HashMany(absl::Span<const absl::Span<const std::uint8_t>> buffers, absl::Span<Digest> out) {
  FED_CHECK(buffers.size() == out.size());
  Hasher hasher;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    FED_DCHECK(buffers[i].size() <= static_cast<std::size_t>(kHashBlockBytes));
    hasher.Add(buffers[i]);
    out[i] = hasher.Finish();
  }
}

Digest ChunkDigest(absl::Span<const std::uint8_t> chunk) {
  FED_DCHECK(chunk.size() <= static_cast<std::size_t>(kChunkBytes));
  std::vector<absl::Span<const std::uint8_t>> blocks;
  for (std::size_t at = 0; at < chunk.size(); at += kHashBlockBytes) {
    blocks.push_back(chunk.subspan(at, kHashBlockBytes));
  }
  std::vector<Digest> digests(blocks.size());
  HashMany(blocks, absl::MakeSpan(digests));
  Hasher hasher;
  for (const Digest& digest : digests) hasher.Add(digest.bytes);
  return hasher.Finish();
}

Digest FileDigest(std::int64_t bytes, absl::Span<const Digest> chunks) {
  std::vector<std::uint8_t> prefix;
  ByteWriter writer(prefix);
  writer.Raw(AsBytes(kFileMagic));
  writer.I64(bytes);
  Hasher hasher;
  hasher.Add(prefix);
  for (const Digest& chunk : chunks) hasher.Add(chunk.bytes);
  return hasher.Finish();
}

StatusOr<std::vector<Digest>> ChunkDigests(const File& file) {
  FED_ASSIGN_OR_RETURN(const std::int64_t size, file.size());
  std::vector<std::uint8_t> chunk;
  std::vector<Digest> digests;
  for (std::int64_t at = 0; at < size; at += kChunkBytes) {
    chunk.resize(static_cast<std::size_t>(std::min(kChunkBytes, size - at)));
    FED_RETURN_IF_ERROR(file.ReadAt(at, absl::MakeSpan(chunk)));
    digests.push_back(ChunkDigest(chunk));
  }
  return digests;
}

bool EqualInConstantTime(absl::string_view a, absl::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::vector<std::uint8_t> SystemRandom(std::size_t bytes) {
  std::vector<std::uint8_t> random(bytes);
  FED_CHECK(RAND_bytes(random.data(), static_cast<int>(bytes)) == 1);
  return random;
}

}  // namespace fed
