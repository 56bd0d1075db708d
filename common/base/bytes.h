// Little-endian reading and writing of byte layouts, and hexadecimal text.
#ifndef FED_COMMON_BASE_BYTES_H_
#define FED_COMMON_BASE_BYTES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fed/status.h"

namespace fed {

// Appends to a buffer that outlives it.
class ByteWriter {
 public:
  explicit ByteWriter(std::vector<std::uint8_t>& out) : out_(out) {}
  void U8(std::uint8_t v);
  void U16(std::uint16_t v);
  void U32(std::uint32_t v);
  void U64(std::uint64_t v);
  void I64(std::int64_t v) { U64(static_cast<std::uint64_t>(v)); }
  void F64(double v);  // IEEE bits
  void Raw(absl::Span<const std::uint8_t> bytes);
  void ShortText(absl::string_view text);  // u16 length, bytes. REQUIRES: text.size() <= 65'535

 private:
  std::vector<std::uint8_t>& out_;
};

// Reads from a span that outlives it. The first read past the end makes it not ok(), and every
// value read from then on is zero or empty: check once, at the end.
class ByteReader {
 public:
  explicit ByteReader(absl::Span<const std::uint8_t> bytes) : bytes_(bytes) {}
  std::uint8_t U8();
  std::uint16_t U16();
  std::uint32_t U32();
  std::uint64_t U64();
  std::int64_t I64() { return static_cast<std::int64_t>(U64()); }
  double F64();
  absl::Span<const std::uint8_t> Raw(std::size_t n);
  std::string ShortText();

  bool ok() const { return ok_; }
  std::size_t left() const { return bytes_.size() - at_; }

 private:
  absl::Span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::string ToHex(absl::Span<const std::uint8_t> bytes);              // lower case
StatusOr<std::vector<std::uint8_t>> FromHex(absl::string_view text);  // kInvalidArgument

absl::Span<const std::uint8_t> AsBytes(absl::string_view text);
absl::string_view AsText(absl::Span<const std::uint8_t> bytes);

}  // namespace fed

#endif  // FED_COMMON_BASE_BYTES_H_
