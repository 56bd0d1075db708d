// SHA-256, of text, of blocks and of whole files.
#ifndef FED_COMMON_CRYPTO_DIGEST_H_
#define FED_COMMON_CRYPTO_DIGEST_H_

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/base/file.h"
#include "fed/status.h"

namespace fed {

struct Digest {
  std::array<std::uint8_t, 32> bytes{};
  friend auto operator<=>(const Digest&, const Digest&) = default;
  std::string ToHex() const;                               // 64 lower-case characters
  static StatusOr<Digest> FromHex(absl::string_view hex);  // kInvalidArgument
  static StatusOr<Digest> FromBytes(absl::Span<const std::uint8_t> bytes);  // exactly 32
};

// Of one buffer.
Digest Sha256(absl::Span<const std::uint8_t> bytes);
Digest Sha256(absl::string_view text);

// Of a stream. Not thread-safe.
class Hasher {
 public:
  Hasher();
  ~Hasher();
  void Add(absl::Span<const std::uint8_t> bytes);
  Digest Finish();  // begins anew

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Several independent buffers of at most kHashBlockBytes each: out[i] = SHA-256(buffers[i]).
// The one place to make faster by hashing several at once. Thread-safe.
void HashMany(absl::Span<const absl::Span<const std::uint8_t>> buffers, absl::Span<Digest> out);

// Of a chunk (at most kChunkBytes): SHA-256 over the SHA-256 of each of its 32 KiB blocks.
Digest ChunkDigest(absl::Span<const std::uint8_t> chunk);

// Of each chunk of a file, and of the file: SHA-256 over ("fedfile1", u64 bytes, the chunks'
// digests). A file's name in the blob folder is its digest in hex.
Digest FileDigest(std::int64_t bytes, absl::Span<const Digest> chunks);
StatusOr<std::vector<Digest>> ChunkDigests(const File& file);

// Compares without a branch on the contents.
bool EqualInConstantTime(absl::string_view a, absl::string_view b);

// From the system's CSPRNG: for tokens, serial numbers and ids. Ends the process if there is none.
std::vector<std::uint8_t> SystemRandom(std::size_t bytes);

}  // namespace fed

#endif  // FED_COMMON_CRYPTO_DIGEST_H_
