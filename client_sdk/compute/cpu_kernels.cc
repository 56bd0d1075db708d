// One CPU level's kernels. The only file that includes Eigen. It calls no inline function but
// Eigen's and its own: tests/unit/client_sdk/compute/level_symbols.py checks the object files.
#include "client_sdk/compute/cpu_kernels.h"

#define EIGEN_DONT_PARALLELIZE
#include <Eigen/Core>

#ifndef FED_CPU_LEVEL
#error "compile with -DFED_CPU_LEVEL=plain|v2|v3|v4 and -DEigen=Eigen_<level>"
#endif
#define FED_TEXT_(x) #x
#define FED_TEXT(x) FED_TEXT_(x)

namespace fed::client::FED_CPU_LEVEL {
namespace {

using Index = Eigen::Index;
using ConstValues = Eigen::Map<const Eigen::ArrayXf>;
using Values = Eigen::Map<Eigen::ArrayXf>;

Index Smaller(Index a, Index b) { return a < b ? a : b; }
Index RoundedUp(Index values) { return (values + 15) / 16 * 16; }

// Eigen's product works on packed blocks: kc values deep, mc of our columns, nc of our rows. Fixed
// here, rather than by the caches that Eigen finds, so that sums are taken in the same order on
// every machine of the level; and in memory that the backend keeps, so that a product takes none
// from the heap and next to none from the stack.
constexpr Index kDepthBlock = 256;
constexpr Index kColumnBlock = 192;  // a multiple of 12, 24 and 48: each level's register block
constexpr Index kRowBlock = 512;

class Blocks final : public Eigen::internal::level3_blocking<float, float> {
 public:
  Blocks(ProductSize size, float* scratch) {
    m_kc = Smaller(size.inner, kDepthBlock);
    m_mc = Smaller(size.columns, kColumnBlock);
    m_nc = Smaller(size.rows, kRowBlock);
    m_blockA = scratch;
    m_blockB = scratch + RoundedUp(m_mc * m_kc);
  }
  Index scratch() const { return RoundedUp(m_mc * m_kc) + RoundedUp(m_kc * m_nc); }
};

std::int64_t MultiplyScratch(ProductSize size) { return Blocks(size, nullptr).scratch(); }

// Eigen's product is column-major: it makes out^T = b' a', where b' and a' are our b and a as they
// are or transposed.
template <int BOrder, int AOrder>
void MultiplyAs(ProductSize size, const float* a, Index a_stride, const float* b, Index b_stride,
                float* out, Blocks& blocks) {
  Eigen::internal::general_matrix_matrix_product<Index, float, BOrder, false, float, AOrder, false,
                                                 Eigen::ColMajor, 1>::run(size.columns, size.rows,
                                                                          size.inner, b, b_stride,
                                                                          a, a_stride, out, 1,
                                                                          size.columns, 1.0F,
                                                                          blocks, nullptr);
}

void Multiply(ProductForm form, ProductSize size, const float* a, const float* b, float* out,
              float* scratch) {
  using Eigen::ColMajor;
  using Eigen::RowMajor;
  Values(out, size.rows * size.columns).setZero();
  Blocks blocks(size, scratch);
  switch (form) {
    case ProductForm::kNN:
      return MultiplyAs<ColMajor, ColMajor>(size, a, size.inner, b, size.columns, out, blocks);
    case ProductForm::kNT:
      return MultiplyAs<RowMajor, ColMajor>(size, a, size.inner, b, size.inner, out, blocks);
    case ProductForm::kTN:
      return MultiplyAs<ColMajor, RowMajor>(size, a, size.rows, b, size.columns, out, blocks);
  }
}

void AddRow(const float* row, float* matrix, std::int64_t rows, std::int64_t columns) {
  for (Index i = 0; i < rows; ++i) {
    Values(matrix + i * columns, columns) += ConstValues(row, columns);
  }
}

void SumRows(const float* matrix, float* sums, std::int64_t rows, std::int64_t columns) {
  Values sum(sums, columns);
  sum.setZero();
  for (Index i = 0; i < rows; ++i) sum += ConstValues(matrix + i * columns, columns);
}

void Activate(Activation kind, const float* in, float* out, std::int64_t values) {
  const ConstValues x(in, values);
  Values y(out, values);
  switch (kind) {
    case Activation::kRelu:
      y = x.cwiseMax(0.0F);
      return;
    case Activation::kTanh:
      y = x.tanh();
      return;
    case Activation::kSigmoid:
      y = x.logistic();
      return;
  }
}

void ActivateGradient(Activation kind, const float* out, const float* out_gradient,
                      float* in_gradient, std::int64_t values) {
  const ConstValues y(out, values), dy(out_gradient, values);
  Values dx(in_gradient, values);
  switch (kind) {
    case Activation::kRelu:
      dx = (y > 0.0F).select(dy, 0.0F);
      return;
    case Activation::kTanh:
      dx = dy * (1.0F - y.square());
      return;
    case Activation::kSigmoid:
      dx = dy * y * (1.0F - y);
      return;
  }
}

void Softmax(const float* logits, float* probabilities, std::int64_t rows, std::int64_t columns) {
  for (Index i = 0; i < rows; ++i) {
    const ConstValues x(logits + i * columns, columns);
    Values p(probabilities + i * columns, columns);
    p = (x - x.maxCoeff()).exp();
    p *= 1.0F / p.sum();
  }
}

double SoftmaxCrossEntropy(const float* logits, const float* labels, float* gradient,
                           std::int64_t rows, std::int64_t columns) {
  const float scale = 1.0F / static_cast<float>(rows);
  double loss = 0;
  for (Index i = 0; i < rows; ++i) {
    const ConstValues x(logits + i * columns, columns);
    const float largest = x.maxCoeff();
    const Index label = static_cast<Index>(labels[i]);
    float sum = 0;
    if (gradient == nullptr) {
      sum = (x - largest).exp().sum();
    } else {
      Values d(gradient + i * columns, columns);
      d = (x - largest).exp();
      sum = d.sum();
      d *= scale / sum;
      d[label] -= scale;
    }
    loss += static_cast<double>(Eigen::numext::log(sum) + largest - x[label]);
  }
  return loss;
}

double SquaredError(const float* outputs, const float* targets, float* gradient,
                    std::int64_t values) {
  const float scale = 2.0F / static_cast<float>(values);
  double sum = 0;
  for (Index i = 0; i < values; ++i) {
    const float error = outputs[i] - targets[i];
    sum += static_cast<double>(error) * static_cast<double>(error);
    if (gradient != nullptr) gradient[i] = scale * error;
  }
  return sum;
}

void Step(const SgdStep& step, const float* gradient, float* velocity, float* weights,
          std::int64_t values) {
  const float rate = static_cast<float>(step.learning_rate);
  const float momentum = static_cast<float>(step.momentum);
  const float decay = static_cast<float>(step.weight_decay);
  const ConstValues g(gradient, values);
  Values w(weights, values);
  if (velocity == nullptr && decay == 0) {
    w -= rate * g;
  } else if (velocity == nullptr) {
    w -= rate * (g + decay * w);
  } else {
    for (Index i = 0; i < values; ++i) {
      velocity[i] = momentum * velocity[i] + (gradient[i] + decay * weights[i]);
      weights[i] -= rate * velocity[i];
    }
  }
}

constexpr CpuKernels kKernels = {
    FED_TEXT(FED_CPU_LEVEL),
    MultiplyScratch,
    Multiply,
    AddRow,
    SumRows,
    Activate,
    ActivateGradient,
    Softmax,
    SoftmaxCrossEntropy,
    SquaredError,
    Step,
};

}  // namespace

const CpuKernels& Kernels() { return kKernels; }

}  // namespace fed::client::FED_CPU_LEVEL
