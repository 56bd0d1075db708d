// Any bytes as a safetensors file: no crash, and what is read can be written again.
#include <cstdint>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/tensor/safetensors.h"

namespace {

// A file that is its bytes.
class BytesFile final : public fed::File {
 public:
  explicit BytesFile(absl::Span<const std::uint8_t> bytes) : bytes_(bytes) {}

  fed::Status ReadAt(std::int64_t offset, absl::Span<std::uint8_t> out) const override {
    FED_CHECK(offset >= 0);  // a reader of a header has no other reason
    const auto first = static_cast<std::size_t>(offset);
    if (first > bytes_.size() || out.size() > bytes_.size() - first) {
      return {fed::StatusCode::kOutOfRange, "cut off"};
    }
    std::copy_n(bytes_.begin() + offset, out.size(), out.begin());
    return {};
  }
  fed::Status WriteAt(std::int64_t, absl::Span<const std::uint8_t>) override { return ReadOnly(); }
  fed::Status Truncate(std::int64_t) override { return ReadOnly(); }
  fed::Status Sync() override { return ReadOnly(); }
  fed::StatusOr<std::int64_t> size() const override {
    return static_cast<std::int64_t>(bytes_.size());
  }

 private:
  static fed::Status ReadOnly() { return {fed::StatusCode::kFailedPrecondition, "read only"}; }
  const absl::Span<const std::uint8_t> bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto header = fed::ReadSafetensorsHeader(BytesFile({data, size}));
  if (!header.ok()) return 0;
  std::vector<fed::TensorInfo> tensors;
  std::int64_t end = header->header_bytes;
  for (const auto& entry : header->entries) {
    FED_CHECK(entry.offset == end && entry.bytes >= 0);
    end += entry.bytes;
    tensors.push_back(entry.info);
  }
  FED_CHECK(end == header->file_bytes);

  const auto written = fed::MakeSafetensorsHeader(tensors, header->metadata);
  FED_CHECK(written.ok());
  std::string file = *written;
  file.resize(written->size() + static_cast<std::size_t>(end - header->header_bytes));
  const auto again = fed::ReadSafetensorsHeader(BytesFile(fed::AsBytes(file)));
  FED_CHECK(again.ok() && again->metadata == header->metadata);
  FED_CHECK(again->entries.size() == tensors.size());
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    FED_CHECK(again->entries[i].info == tensors[i]);
  }
  return 0;
}
