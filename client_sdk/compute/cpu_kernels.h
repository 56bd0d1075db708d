// The CPU backend's arithmetic over plain pointers: one table of functions for each CPU level.
// cpu_kernels.cc is compiled once per level with that level's instructions, its own namespace and
// its own name for Eigen's, so that no inline function of one level can stand in for another's.
#ifndef FED_CLIENT_SDK_COMPUTE_CPU_KERNELS_H_
#define FED_CLIENT_SDK_COMPUTE_CPU_KERNELS_H_

#include <cstdint>

#include "client_sdk/compute/kernel_types.h"

namespace fed::client {

// Null pointers stand for empty slices; else as in backend.h.
struct CpuKernels {
  const char* level;

  // Floats of scratch memory, 64-byte aligned, that Multiply needs.
  std::int64_t (*multiply_scratch)(ProductSize size);
  void (*multiply)(ProductForm form, ProductSize size, const float* a, const float* b, float* out,
                   float* scratch);
  void (*add_row)(const float* row, float* matrix, std::int64_t rows, std::int64_t columns);
  void (*sum_rows)(const float* matrix, float* sums, std::int64_t rows, std::int64_t columns);
  void (*activate)(Activation kind, const float* in, float* out, std::int64_t values);
  void (*activate_gradient)(Activation kind, const float* out, const float* out_gradient,
                            float* in_gradient, std::int64_t values);
  void (*softmax)(const float* logits, float* probabilities, std::int64_t rows,
                  std::int64_t columns);
  double (*softmax_cross_entropy)(const float* logits, const float* labels, float* gradient,
                                  std::int64_t rows, std::int64_t columns);
  double (*squared_error)(const float* outputs, const float* targets, float* gradient,
                          std::int64_t values);
  void (*step)(const SgdStep& step, const float* gradient, float* velocity, float* weights,
               std::int64_t values);
};

// "plain" is what the compiler makes by default for the architecture; the others are x86-64's
// microarchitecture levels.
namespace plain {
const CpuKernels& Kernels();
}
#ifdef FED_X86_LEVELS
namespace v2 {
const CpuKernels& Kernels();
}
namespace v3 {
const CpuKernels& Kernels();
}
namespace v4 {
const CpuKernels& Kernels();
}
#endif

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_CPU_KERNELS_H_
