// Byte by byte, so that it is the same on every machine; compilers make single moves of it.
#include "common/base/bytes.h"

#include <bit>
#include <cstddef>

#include "absl/strings/str_cat.h"
#include "common/base/check.h"

namespace fed {
namespace {

template <typename T>
void AppendLittleEndian(T v, std::vector<std::uint8_t>& out) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<std::uint8_t>(v >> 8 * i));
}

template <typename T>
T FromLittleEndian(absl::Span<const std::uint8_t> bytes) {
  T v = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) v = static_cast<T>(v | T{bytes[i]} << 8 * i);
  return v;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ByteWriter::U8(std::uint8_t v) { out_.push_back(v); }
void ByteWriter::U16(std::uint16_t v) { AppendLittleEndian(v, out_); }
void ByteWriter::U32(std::uint32_t v) { AppendLittleEndian(v, out_); }
void ByteWriter::U64(std::uint64_t v) { AppendLittleEndian(v, out_); }
void ByteWriter::F64(double v) { U64(std::bit_cast<std::uint64_t>(v)); }

void ByteWriter::Raw(absl::Span<const std::uint8_t> bytes) {
  out_.insert(out_.end(), bytes.begin(), bytes.end());
}

void ByteWriter::ShortText(absl::string_view text) {
  FED_CHECK(text.size() <= 0xFFFF);
  U16(static_cast<std::uint16_t>(text.size()));
  Raw(AsBytes(text));
}

std::uint8_t ByteReader::U8() { return FromLittleEndian<std::uint8_t>(Raw(1)); }
std::uint16_t ByteReader::U16() { return FromLittleEndian<std::uint16_t>(Raw(2)); }
std::uint32_t ByteReader::U32() { return FromLittleEndian<std::uint32_t>(Raw(4)); }
std::uint64_t ByteReader::U64() { return FromLittleEndian<std::uint64_t>(Raw(8)); }
double ByteReader::F64() { return std::bit_cast<double>(U64()); }

absl::Span<const std::uint8_t> ByteReader::Raw(std::size_t n) {
  if (!ok_ || n > left()) {
    ok_ = false;
    return {};
  }
  const auto bytes = bytes_.subspan(at_, n);
  at_ += n;
  return bytes;
}

std::string ByteReader::ShortText() {
  const std::size_t size = U16();
  return std::string(AsText(Raw(size)));
}

std::string ToHex(absl::Span<const std::uint8_t> bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

StatusOr<std::vector<std::uint8_t>> FromHex(absl::string_view text) {
  if (text.size() % 2 != 0) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("hexadecimal text of ", text.size(), " characters: expected pairs"));
  }
  std::vector<std::uint8_t> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexDigit(text[i]), low = HexDigit(text[i + 1]);
    if (high < 0 || low < 0) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("character ", high < 0 ? i : i + 1,
                                 " of hexadecimal text is not one of 0-9, a-f"));
    }
    bytes.push_back(static_cast<std::uint8_t>(high << 4 | low));
  }
  return bytes;
}

absl::Span<const std::uint8_t> AsBytes(absl::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

absl::string_view AsText(absl::Span<const std::uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace fed
