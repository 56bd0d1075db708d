// What a tensor's description must fulfil before memory is taken for it.
#ifndef FED_COMMON_TENSOR_TENSOR_CHECK_H_
#define FED_COMMON_TENSOR_TENSOR_CHECK_H_

#include <cstdint>

#include "fed/parameters.h"
#include "fed/status.h"

namespace fed {

// The bytes that the tensor's values take in a file. kInvalidArgument: an empty name, or a negative
// or overflowing shape; kResourceExhausted: above kMaxNameBytes or kMaxRank.
StatusOr<std::int64_t> CheckTensor(const TensorInfo& info);

}  // namespace fed

#endif  // FED_COMMON_TENSOR_TENSOR_CHECK_H_
