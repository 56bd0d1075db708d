// What layers, losses and optimizers compute with: buffers, matrix products and element-wise
// kernels of one device. They speak to nothing else, so each runs on every backend.
#ifndef FED_CLIENT_SDK_COMPUTE_BACKEND_H_
#define FED_CLIENT_SDK_COMPUTE_BACKEND_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/types/span.h"
#include "client_sdk/compute/kernel_types.h"
#include "common/base/check.h"
#include "fed/status.h"

namespace fed::client {

// More than any address space holds: refused before anyone is asked for it.
inline constexpr std::int64_t kMaxBufferValues = std::int64_t{1} << 45;

// Memory of one backend; only that backend looks into it. Freed by its destructor.
class Buffer {
 public:
  explicit Buffer(std::int64_t values) : values_(values) {}
  virtual ~Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::int64_t values() const { return values_; }

 private:
  const std::int64_t values_;
};

// A run of a buffer's values. Borrows the buffer. The default one is empty: "not wanted".
struct Slice {
  Buffer* buffer = nullptr;
  std::int64_t first = 0;
  std::int64_t count = 0;

  bool empty() const { return count == 0; }
  // REQUIRES: it lies within this slice.
  Slice Part(std::int64_t begin, std::int64_t values) const {
    FED_DCHECK(begin >= 0 && values >= 0 && begin + values <= count);
    return {buffer, first + begin, values};
  }
};

// Not thread-safe: one a trainer. Calls take effect in order. Outputs are the last parameters and
// do not overlap inputs unless said. Sizes are their callers' own invariants (FED_DCHECK): plans
// and data are checked before. Equal inputs give equal bits on equal hardware.
class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;  // "cpu (x86-64-v4)", for logs

  // Zeros. kResourceExhausted: more than kMaxBufferValues, or than the device has memory for.
  virtual StatusOr<std::unique_ptr<Buffer>> Allocate(std::int64_t values) = 0;
  virtual void Write(absl::Span<const float> from, Slice to) = 0;
  virtual void Read(Slice from, absl::Span<float> to) = 0;

  virtual void Multiply(ProductForm form, ProductSize size, Slice a, Slice b, Slice out) = 0;

  // matrix (n x row.count) += row, to each of its rows.
  virtual void AddRow(Slice row, Slice matrix) = 0;
  // sums (columns) = the sum of the rows of matrix (n x columns).
  virtual void SumRows(Slice matrix, Slice sums) = 0;

  // relu: max(0, x), tanh(x), sigmoid: 1 / (1 + exp(-x)).
  virtual void Activate(Activation kind, Slice in, Slice out) = 0;
  // From an activation's OUTPUT; in_gradient may be out_gradient.
  virtual void ActivateGradient(Activation kind, Slice out, Slice out_gradient,
                                Slice in_gradient) = 0;

  // Row by row of (n x columns).
  virtual void Softmax(Slice logits, std::int64_t columns, Slice probabilities) = 0;

  // The SUM over the rows of -log softmax(logits)[label]; labels (n) are class numbers. If wanted:
  // gradient (n x columns) of the MEAN.
  virtual double SoftmaxCrossEntropy(Slice logits, Slice labels, Slice gradient) = 0;

  // The SUM of (output - target)^2. If wanted: gradient of the MEAN over all values.
  virtual double SquaredError(Slice outputs, Slice targets, Slice gradient) = 0;

  // velocity may be empty if step.momentum is 0.
  virtual void Step(const SgdStep& step, Slice gradient, Slice velocity, Slice weights) = 0;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_BACKEND_H_
