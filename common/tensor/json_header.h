// The JSON object at the head of a safetensors file, as values and as text.
#ifndef FED_COMMON_TENSOR_JSON_HEADER_H_
#define FED_COMMON_TENSOR_JSON_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

struct JsonTensor {
  TensorInfo info;
  std::int64_t begin = 0, end = 0;  // "data_offsets": within the data
};

struct JsonHeader {
  std::vector<JsonTensor> tensors;  // in the order of the text
  std::map<std::string, std::string> metadata;
};

// Strict: one object of exactly the fields that the format has, nothing twice, spaces after it at
// most. Shapes and offsets are numbers >= 0, not yet compared. kDataLoss: anything else;
// kUnimplemented: a dtype that we do not carry; kResourceExhausted: above kMaxTensors or kMaxRank.
StatusOr<JsonHeader> ParseJsonHeader(absl::string_view text);

// Compact, without padding. kInvalidArgument: a name or metadata that is not UTF-8.
StatusOr<std::string> WriteJsonHeader(absl::Span<const JsonTensor> tensors,
                                      const std::map<std::string, std::string>& metadata);

}  // namespace fed

#endif  // FED_COMMON_TENSOR_JSON_HEADER_H_
