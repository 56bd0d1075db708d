// The safetensors file format (huggingface/safetensors): u64 header length, a JSON object that
// maps names to {dtype, shape, data_offsets}, then the tensors' bytes, little-endian, row-major.
// What we write is the canonical form: tensors in the given order, without gaps, header padded
// with spaces to a multiple of 8, "__metadata__" first if there is any.
#ifndef FED_COMMON_TENSOR_SAFETENSORS_H_
#define FED_COMMON_TENSOR_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/base/file.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

// Where each tensor lies. Tensors are in data-offset order, which is the order of every list of
// tensors made from a file.
struct SafetensorsHeader {
  struct Entry {
    TensorInfo info;
    std::int64_t offset = 0;  // of its first byte in the FILE
    std::int64_t bytes = 0;
  };
  std::vector<Entry> entries;
  std::map<std::string, std::string> metadata;
  std::int64_t header_bytes = 0;  // 8 + JSON: where the data begins
  std::int64_t file_bytes = 0;
};

// kDataLoss with what is wrong: cut off, bad JSON, a name twice, a shape that does not fit its
// offsets, gaps, overlaps, bytes after the end. kUnimplemented: a dtype that we do not carry.
// kResourceExhausted: more tensors, dimensions or bytes of a name than base/limits.h has. Reads the
// header only; never takes memory by a size that the file claims and does not have.
StatusOr<SafetensorsHeader> ReadSafetensorsHeader(const File& file);

// The exact bytes before the data, for these tensors in this order. kInvalidArgument: a name twice,
// not UTF-8 or "__metadata__"; a shape that overflows.
StatusOr<std::string> MakeSafetensorsHeader(absl::Span<const TensorInfo> tensors,
                                            const std::map<std::string, std::string>& metadata);

// The whole file in memory: for devices and tools; the server goes tile by tile (flat_layout.h).
StatusOr<Parameters> LoadSafetensors(FileSystem& files, const std::string& path);
// Atomic and durable, as WriteFileDurably.
Status SaveSafetensors(FileSystem& files, const std::string& path, const Parameters& parameters,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace fed

#endif  // FED_COMMON_TENSOR_SAFETENSORS_H_
