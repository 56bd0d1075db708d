// Named tensors: what a model is to everything but its trainer.
#ifndef FED_PARAMETERS_H_
#define FED_PARAMETERS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fed/status.h"

namespace fed {

// The element types of a safetensors file that we carry. Floats (F32, F16, BF16) are averaged in
// F32 and stored in their own type; the others are carried over from version to version unchanged.
enum class Dtype { kF32, kF16, kBF16, kF64, kI64, kI32, kI16, kI8, kU64, kU32, kU16, kU8, kBool };

std::string_view DtypeName(Dtype dtype);               // as in safetensors: "F32", "BF16", "I64"
StatusOr<Dtype> DtypeFromName(std::string_view name);  // kInvalidArgument
std::size_t DtypeBytes(Dtype dtype);                   // of one element
bool IsTrainableDtype(Dtype dtype);                    // F32, F16, BF16

struct TensorInfo {
  std::string name;  // as in the safetensors file, e.g. "conv1.weight"; at most 512 bytes
  Dtype dtype = Dtype::kF32;
  std::vector<std::int64_t> shape;  // row-major; empty: a scalar

  std::int64_t elements() const;  // product of the shape; 1 for a scalar
  friend bool operator==(const TensorInfo&, const TensorInfo&) = default;
};

// "name F32 [200, 784]", for messages.
std::string ToString(const TensorInfo& info);

// An ordered list of tensors that owns its buffers. Moves; is copied only by Clone. Concurrent
// reads are safe.
class Parameters {
 public:
  Parameters() = default;
  Parameters(Parameters&&) = default;
  Parameters& operator=(Parameters&&) = default;
  Parameters Clone() const;

  // Appends a tensor of zeros. kInvalidArgument: the name is there already or is too long, the
  // shape is negative or overflows.
  Status Add(TensorInfo info);

  std::size_t size() const { return entries_.size(); }
  const TensorInfo& info(std::size_t i) const { return entries_[i].info; }
  std::optional<std::size_t> Find(std::string_view name) const;

  // Of a trainable dtype: its values widened to F32, row-major, info(i).elements() of them.
  // Rounded to the dtype only when stored. REQUIRES: IsTrainableDtype(info(i).dtype)
  std::span<const float> values(std::size_t i) const { return entries_[i].values; }
  std::span<float> values(std::size_t i) { return entries_[i].values; }

  // Of any other dtype: its little-endian bytes as in the file.
  std::span<const std::uint8_t> bytes(std::size_t i) const { return entries_[i].bytes; }
  std::span<std::uint8_t> bytes(std::size_t i) { return entries_[i].bytes; }

 private:
  struct Entry {
    TensorInfo info;
    std::vector<float> values;
    std::vector<std::uint8_t> bytes;
  };
  std::vector<Entry> entries_;
};

}  // namespace fed

#endif  // FED_PARAMETERS_H_
