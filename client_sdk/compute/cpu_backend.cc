// Owns the CPU backend's memory and hands it to the kernels of one level.
#include "client_sdk/compute/cpu_backend.h"

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"

namespace fed::client {
namespace {

constexpr std::size_t kAlignment = 64;  // a cache line, an AVX-512 register

struct Freed {
  void operator()(float* memory) const { std::free(memory); }
};
using Floats = std::unique_ptr<float, Freed>;

// Zeros, aligned; null if there is no memory.
Floats AllocateFloats(std::int64_t values) {
  if (values > kMaxBufferValues) return nullptr;
  const auto count = static_cast<std::size_t>(std::max<std::int64_t>(values, 1));
  const std::size_t bytes = (count * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
  Floats memory(static_cast<float*>(std::aligned_alloc(kAlignment, bytes)));
  if (memory != nullptr) std::fill_n(memory.get(), bytes / sizeof(float), 0.0F);
  return memory;
}

struct FloatBuffer final : Buffer {
  FloatBuffer(std::int64_t values, Floats memory) : Buffer(values), data(std::move(memory)) {}
  const Floats data;
};

float* At(Slice slice) {
  if (slice.empty()) return nullptr;
  FED_DCHECK(slice.first >= 0 && slice.first + slice.count <= slice.buffer->values());
  return static_cast<FloatBuffer*>(slice.buffer)->data.get() + slice.first;
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(const CpuKernels& kernels) : kernels_(kernels) {}

  std::string name() const override { return absl::StrCat("cpu (", kernels_.level, ")"); }

  StatusOr<std::unique_ptr<Buffer>> Allocate(std::int64_t values) override {
    Floats memory = AllocateFloats(values);
    if (memory == nullptr) {
      return Status(StatusCode::kResourceExhausted,
                    absl::StrCat("no memory for ", values, " values"));
    }
    return std::unique_ptr<Buffer>(std::make_unique<FloatBuffer>(values, std::move(memory)));
  }

  void Write(absl::Span<const float> from, Slice to) override {
    FED_DCHECK(static_cast<std::int64_t>(from.size()) == to.count);
    std::copy(from.begin(), from.end(), At(to));
  }

  void Read(Slice from, absl::Span<float> to) override {
    FED_DCHECK(static_cast<std::int64_t>(to.size()) == from.count);
    std::copy_n(At(from), from.count, to.begin());
  }

  void Multiply(ProductForm form, ProductSize size, Slice a, Slice b, Slice out) override {
    FED_DCHECK(a.count == size.rows * size.inner && b.count == size.inner * size.columns);
    FED_DCHECK(out.count == size.rows * size.columns);
    kernels_.multiply(form, size, At(a), At(b), At(out), Scratch(size));
  }

  void AddRow(Slice row, Slice matrix) override {
    FED_DCHECK(matrix.count % row.count == 0);
    kernels_.add_row(At(row), At(matrix), matrix.count / row.count, row.count);
  }

  void SumRows(Slice matrix, Slice sums) override {
    FED_DCHECK(matrix.count % sums.count == 0);
    kernels_.sum_rows(At(matrix), At(sums), matrix.count / sums.count, sums.count);
  }

  void Activate(Activation kind, Slice in, Slice out) override {
    FED_DCHECK(in.count == out.count);
    kernels_.activate(kind, At(in), At(out), out.count);
  }

  void ActivateGradient(Activation kind, Slice out, Slice out_gradient,
                        Slice in_gradient) override {
    FED_DCHECK(out.count == out_gradient.count && out.count == in_gradient.count);
    kernels_.activate_gradient(kind, At(out), At(out_gradient), At(in_gradient), out.count);
  }

  void Softmax(Slice logits, std::int64_t columns, Slice probabilities) override {
    FED_DCHECK(logits.count == probabilities.count && logits.count % columns == 0);
    kernels_.softmax(At(logits), At(probabilities), logits.count / columns, columns);
  }

  double SoftmaxCrossEntropy(Slice logits, Slice labels, Slice gradient) override {
    FED_DCHECK(logits.count % labels.count == 0);
    return kernels_.softmax_cross_entropy(At(logits), At(labels), At(gradient), labels.count,
                                          logits.count / labels.count);
  }

  double SquaredError(Slice outputs, Slice targets, Slice gradient) override {
    FED_DCHECK(outputs.count == targets.count);
    return kernels_.squared_error(At(outputs), At(targets), At(gradient), outputs.count);
  }

  void Step(const SgdStep& step, Slice gradient, Slice velocity, Slice weights) override {
    FED_DCHECK(gradient.count == weights.count);
    FED_DCHECK(velocity.empty() ? step.momentum == 0 : velocity.count == weights.count);
    kernels_.step(step, At(gradient), At(velocity), At(weights), weights.count);
  }

 private:
  // Grows to the largest product and stays: blocks are bounded, at most 0.75 MiB.
  float* Scratch(ProductSize size) {
    const std::int64_t wanted = kernels_.multiply_scratch(size);
    if (wanted > scratch_values_) {
      scratch_ = AllocateFloats(wanted);
      FED_CHECK(scratch_ != nullptr);
      scratch_values_ = wanted;
    }
    return scratch_.get();
  }

  const CpuKernels& kernels_;
  Floats scratch_;
  std::int64_t scratch_values_ = 0;
};

}  // namespace

std::vector<const CpuKernels*> UsableCpuKernels() {
  std::vector<const CpuKernels*> usable;
#ifdef FED_X86_LEVELS
  // A feature or two stands for each level: no processor has them without the level's others.
  __builtin_cpu_init();
  const bool has_v2 = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt");
  const bool has_v3 = has_v2 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool has_v4 = has_v3 && __builtin_cpu_supports("avx512f") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (has_v4) usable.push_back(&v4::Kernels());
  if (has_v3) usable.push_back(&v3::Kernels());
  if (has_v2) usable.push_back(&v2::Kernels());
#endif
  usable.push_back(&plain::Kernels());
  return usable;
}

std::unique_ptr<Backend> NewCpuBackend(const CpuKernels& kernels) {
  return std::make_unique<CpuBackend>(kernels);
}

std::unique_ptr<Backend> NewCpuBackend() { return NewCpuBackend(*UsableCpuKernels().front()); }

}  // namespace fed::client
