// The definitions of backend.h, written out as loops.
#include "client_sdk/compute/reference_backend.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <new>
#include <vector>

#include "absl/strings/str_cat.h"

namespace fed::client {
namespace {

struct DoubleBuffer final : Buffer {
  explicit DoubleBuffer(std::int64_t values)
      : Buffer(values), data(static_cast<std::size_t>(values)) {}
  std::vector<double> data;
};

absl::Span<double> V(Slice slice) { return ReferenceBackend::Values(slice); }

}  // namespace

absl::Span<double> ReferenceBackend::Values(Slice slice) {
  if (slice.empty()) return {};
  FED_DCHECK(slice.first >= 0 && slice.first + slice.count <= slice.buffer->values());
  return absl::MakeSpan(static_cast<DoubleBuffer*>(slice.buffer)->data)
      .subspan(static_cast<std::size_t>(slice.first), static_cast<std::size_t>(slice.count));
}

StatusOr<std::unique_ptr<Buffer>> ReferenceBackend::Allocate(std::int64_t values) {
  try {
    if (values <= kMaxBufferValues) {
      return std::unique_ptr<Buffer>(std::make_unique<DoubleBuffer>(values));
    }
  } catch (const std::bad_alloc&) {  // said below
  }
  return Status(StatusCode::kResourceExhausted, absl::StrCat("no memory for ", values, " values"));
}

void ReferenceBackend::Write(absl::Span<const float> from, Slice to) {
  FED_DCHECK(static_cast<std::int64_t>(from.size()) == to.count);
  std::copy(from.begin(), from.end(), V(to).begin());
}

void ReferenceBackend::Read(Slice from, absl::Span<float> to) {
  FED_DCHECK(static_cast<std::int64_t>(to.size()) == from.count);
  const absl::Span<const double> values = V(from);
  for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<float>(values[i]);
}

void ReferenceBackend::Multiply(ProductForm form, ProductSize size, Slice a, Slice b, Slice out) {
  FED_DCHECK(a.count == size.rows * size.inner && b.count == size.inner * size.columns);
  FED_DCHECK(out.count == size.rows * size.columns);
  // How far apart a factor's values are along the result and along what is summed.
  const std::int64_t a_row = form == ProductForm::kTN ? 1 : size.inner;
  const std::int64_t a_inner = form == ProductForm::kTN ? size.rows : 1;
  const std::int64_t b_column = form == ProductForm::kNT ? size.inner : 1;
  const std::int64_t b_inner = form == ProductForm::kNT ? 1 : size.columns;
  const double* x = V(a).data();
  const double* y = V(b).data();
  double* result = V(out).data();
  for (std::int64_t i = 0; i < size.rows; ++i) {
    for (std::int64_t j = 0; j < size.columns; ++j) {
      double sum = 0;
      for (std::int64_t k = 0; k < size.inner; ++k) {
        sum += x[i * a_row + k * a_inner] * y[j * b_column + k * b_inner];
      }
      result[i * size.columns + j] = sum;
    }
  }
}

void ReferenceBackend::AddRow(Slice row, Slice matrix) {
  FED_DCHECK(matrix.count % row.count == 0);
  const absl::Span<double> m = V(matrix), r = V(row);
  for (std::size_t i = 0; i < m.size(); ++i) m[i] += r[i % r.size()];
}

void ReferenceBackend::SumRows(Slice matrix, Slice sums) {
  FED_DCHECK(matrix.count % sums.count == 0);
  const absl::Span<double> m = V(matrix), s = V(sums);
  std::fill(s.begin(), s.end(), 0.0);
  for (std::size_t i = 0; i < m.size(); ++i) s[i % s.size()] += m[i];
}

void ReferenceBackend::Activate(Activation kind, Slice in, Slice out) {
  const absl::Span<double> x = V(in), y = V(out);
  for (std::size_t i = 0; i < y.size(); ++i) {
    switch (kind) {
      case Activation::kRelu:
        y[i] = std::max(0.0, x[i]);
        break;
      case Activation::kTanh:
        y[i] = std::tanh(x[i]);
        break;
      case Activation::kSigmoid:
        y[i] = 1 / (1 + std::exp(-x[i]));
        break;
    }
  }
}

void ReferenceBackend::ActivateGradient(Activation kind, Slice out, Slice out_gradient,
                                        Slice in_gradient) {
  const absl::Span<double> y = V(out), dy = V(out_gradient), dx = V(in_gradient);
  for (std::size_t i = 0; i < y.size(); ++i) {
    switch (kind) {
      case Activation::kRelu:
        dx[i] = y[i] > 0 ? dy[i] : 0;
        break;
      case Activation::kTanh:
        dx[i] = dy[i] * (1 - y[i] * y[i]);
        break;
      case Activation::kSigmoid:
        dx[i] = dy[i] * y[i] * (1 - y[i]);
        break;
    }
  }
}

void ReferenceBackend::Softmax(Slice logits, std::int64_t columns, Slice probabilities) {
  const auto n = static_cast<std::size_t>(columns);
  const absl::Span<double> x = V(logits), p = V(probabilities);
  for (std::size_t row = 0; row < x.size(); row += n) {
    double largest = x[row], sum = 0;
    for (std::size_t j = 0; j < n; ++j) largest = std::max(largest, x[row + j]);
    for (std::size_t j = 0; j < n; ++j) sum += p[row + j] = std::exp(x[row + j] - largest);
    for (std::size_t j = 0; j < n; ++j) p[row + j] /= sum;
  }
}

double ReferenceBackend::SoftmaxCrossEntropy(Slice logits, Slice labels, Slice gradient) {
  const absl::Span<double> x = V(logits), t = V(labels);
  const std::size_t n = x.size() / t.size();
  double loss = 0;
  for (std::size_t i = 0; i < t.size(); ++i) {
    const auto row = x.subspan(i * n, n);
    const double largest = *std::max_element(row.begin(), row.end());
    double sum = 0;
    for (const double v : row) sum += std::exp(v - largest);
    const auto label = static_cast<std::size_t>(t[i]);
    loss += std::log(sum) + largest - row[label];
    if (gradient.empty()) continue;
    const auto d = V(gradient).subspan(i * n, n);
    for (std::size_t j = 0; j < n; ++j) {
      const double probability = std::exp(row[j] - largest) / sum;
      d[j] = (probability - (j == label ? 1 : 0)) / static_cast<double>(t.size());
    }
  }
  return loss;
}

double ReferenceBackend::SquaredError(Slice outputs, Slice targets, Slice gradient) {
  const absl::Span<double> y = V(outputs), t = V(targets);
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double error = y[i] - t[i];
    sum += error * error;
    if (!gradient.empty()) V(gradient)[i] = 2 * error / static_cast<double>(y.size());
  }
  return sum;
}

void ReferenceBackend::Step(const SgdStep& step, Slice gradient, Slice velocity, Slice weights) {
  const absl::Span<double> g = V(gradient), v = V(velocity), w = V(weights);
  for (std::size_t i = 0; i < w.size(); ++i) {
    double move = g[i] + step.weight_decay * w[i];
    if (!v.empty()) move = v[i] = step.momentum * v[i] + move;
    w[i] -= step.learning_rate * move;
  }
}

}  // namespace fed::client
