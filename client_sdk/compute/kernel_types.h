// The names of kernels: types without a function, so that files compiled for one CPU level may
// include them.
#ifndef FED_CLIENT_SDK_COMPUTE_KERNEL_TYPES_H_
#define FED_CLIENT_SDK_COMPUTE_KERNEL_TYPES_H_

#include <cstdint>

namespace fed::client {

// Which factors of a product are transposed. All matrices are row-major.
//   kNN: out = a b       a (rows x inner)  b (inner x columns)
//   kNT: out = a b^T     a (rows x inner)  b (columns x inner)
//   kTN: out = a^T b     a (inner x rows)  b (inner x columns)
enum class ProductForm { kNN, kNT, kTN };

// Of a product's result (rows x columns), and what is summed over.
struct ProductSize {
  std::int64_t rows = 0, columns = 0, inner = 0;
};

enum class Activation { kRelu, kTanh, kSigmoid };

// One step of stochastic gradient descent, as torch.optim.SGD has it:
//   g = gradient + weight_decay * w;  v = momentum * v + g;  w = w - learning_rate * v
struct SgdStep {
  double learning_rate = 0;
  double momentum = 0;
  double weight_decay = 0;
};

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_KERNEL_TYPES_H_
