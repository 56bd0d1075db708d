// What every backend must compute: one suite over the reference and each CPU level of this machine.
#include "client_sdk/compute/backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "client_sdk/compute/cpu_backend.h"
#include "client_sdk/compute/reference_backend.h"
#include "common/base/random.h"
#include "tests/testing/status_matchers.h"

namespace fed::client {
namespace {

using Floats = std::vector<float>;
using ::testing::FloatNear;
using ::testing::Pointwise;

Floats Random(std::uint64_t index, std::int64_t count) {
  RandomStream random(3, RandomPurpose::kTest, index);
  Floats values(static_cast<std::size_t>(count));
  for (float& v : values) v = static_cast<float>(4 * random.Uniform() - 2);
  return values;
}

struct Named {
  std::string name;
  std::function<std::unique_ptr<Backend>()> make;
};

std::vector<Named> Backends() {
  std::vector<Named> all = {{"reference", [] { return std::make_unique<ReferenceBackend>(); }}};
  for (const CpuKernels* kernels : UsableCpuKernels()) {
    all.push_back({kernels->level, [kernels] { return NewCpuBackend(*kernels); }});
  }
  return all;
}

// A backend with slices that keep their buffers.
class Bench {
 public:
  explicit Bench(std::unique_ptr<Backend> backend) : backend_(std::move(backend)) {}

  Backend& operator*() { return *backend_; }
  Backend* operator->() { return backend_.get(); }

  Slice Put(const Floats& values) {
    const Slice slice = Room(static_cast<std::int64_t>(values.size()));
    backend_->Write(values, slice);
    return slice;
  }

  Slice Room(std::int64_t count) {
    StatusOr<std::unique_ptr<Buffer>> buffer = backend_->Allocate(count);
    EXPECT_THAT(buffer, fed::testing::IsOk());
    buffers_.push_back(std::move(buffer).value());
    return {buffers_.back().get(), 0, count};
  }

  Floats Get(Slice slice) {
    Floats values(static_cast<std::size_t>(slice.count));
    backend_->Read(slice, absl::MakeSpan(values));
    return values;
  }

 private:
  std::unique_ptr<Backend> backend_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
};

class BackendTest : public ::testing::TestWithParam<Named> {
 protected:
  Bench bench_{GetParam().make()};
  Bench reference_{std::make_unique<ReferenceBackend>()};

  // The same on both, to be compared.
  void ExpectAsReference(const std::function<Floats(Bench&)>& compute, double tolerance) {
    const Floats expected = compute(reference_), found = compute(bench_);
    EXPECT_THAT(found, Pointwise(FloatNear(static_cast<float>(tolerance)), expected));
  }
};

TEST_P(BackendTest, AllocatesZeros) {
  EXPECT_THAT(bench_.Get(bench_.Room(77)), ::testing::Each(0.0F));
  EXPECT_THAT(bench_->Allocate(0), fed::testing::IsOk());
}

TEST_P(BackendTest, SaysWhenThereIsNoMemory) {
  EXPECT_THAT(bench_->Allocate(std::numeric_limits<std::int64_t>::max() / 16),
              fed::testing::StatusIs(StatusCode::kResourceExhausted,
                                     ::testing::HasSubstr("no memory for 5764607")));
}

TEST_P(BackendTest, ReadsWhatWasWrittenIntoAPart) {
  const Slice all = bench_.Put({1, 2, 3, 4});
  bench_->Write(Floats{8, 9}, all.Part(1, 2));
  EXPECT_EQ(bench_.Get(all), (Floats{1, 8, 9, 4}));
}

TEST_P(BackendTest, MultipliesByHand) {
  // a = [1 2 3; 4 5 6], b = [1 0; 2 1; 0 3]: a b = [5 11; 14 23]
  const Slice a = bench_.Put({1, 2, 3, 4, 5, 6}), a_t = bench_.Put({1, 4, 2, 5, 3, 6});
  const Slice b = bench_.Put({1, 0, 2, 1, 0, 3}), b_t = bench_.Put({1, 2, 0, 0, 1, 3});
  const Slice out = bench_.Room(4);
  const Floats expected = {5, 11, 14, 23};

  bench_->Multiply(ProductForm::kNN, {2, 2, 3}, a, b, out);
  EXPECT_EQ(bench_.Get(out), expected);
  bench_->Multiply(ProductForm::kNT, {2, 2, 3}, a, b_t, out);  // over what was there
  EXPECT_EQ(bench_.Get(out), expected);
  bench_->Multiply(ProductForm::kTN, {2, 2, 3}, a_t, b, out);
  EXPECT_EQ(bench_.Get(out), expected);
}

TEST_P(BackendTest, MultipliesEverySize) {
  // Around register blocks, and beyond the blocks of depth, columns and rows.
  const ProductSize sizes[] = {{1, 1, 1},    {1, 17, 300}, {10, 200, 784}, {3, 5, 7},
                               {47, 49, 15}, {17, 1, 33},  {16, 48, 256},  {530, 3, 2},
                               {2, 200, 5},  {5, 400, 257}};
  for (const ProductSize& size : sizes) {
    for (const ProductForm form : {ProductForm::kNN, ProductForm::kNT, ProductForm::kTN}) {
      SCOPED_TRACE(::testing::Message() << size.rows << " x " << size.columns << " over "
                                        << size.inner << ", form " << static_cast<int>(form));
      ExpectAsReference(
          [&](Bench& bench) {
            const Slice a = bench.Put(Random(1, size.rows * size.inner));
            const Slice b = bench.Put(Random(2, size.inner * size.columns));
            const Slice out = bench.Room(size.rows * size.columns);
            bench->Multiply(form, size, a, b, out);
            return bench.Get(out);
          },
          1e-4);
    }
  }
}

TEST_P(BackendTest, AddsARowToEachRow) {
  const Slice matrix = bench_.Put({1, 2, 3, 4, 5, 6});
  bench_->AddRow(bench_.Put({10, 20, 30}), matrix);
  EXPECT_EQ(bench_.Get(matrix), (Floats{11, 22, 33, 14, 25, 36}));
}

TEST_P(BackendTest, SumsRows) {
  const Slice sums = bench_.Put({7, 7, 7});
  bench_->SumRows(bench_.Put({1, 2, 3, 4, 5, 6}), sums);
  EXPECT_EQ(bench_.Get(sums), (Floats{5, 7, 9}));
}

TEST_P(BackendTest, ActivatesByTheirDefinitions) {
  const Floats x = {-20, -1, -0.5F, 0, 0.25F, 1, 3, 20, -100, 100};
  Floats relu, tanh, sigmoid;
  for (const float v : x) {
    relu.push_back(std::max(0.0F, v));
    tanh.push_back(std::tanh(v));
    sigmoid.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(v)))));
  }
  const Slice in = bench_.Put(x), out = bench_.Room(in.count);

  bench_->Activate(Activation::kRelu, in, out);
  EXPECT_EQ(bench_.Get(out), relu);
  bench_->Activate(Activation::kTanh, in, out);
  EXPECT_THAT(bench_.Get(out), Pointwise(FloatNear(2e-6F), tanh));
  bench_->Activate(Activation::kSigmoid, in, out);
  EXPECT_THAT(bench_.Get(out), Pointwise(FloatNear(2e-6F), sigmoid));
}

TEST_P(BackendTest, GivesActivationsGradientsInPlaceToo) {
  for (const Activation kind : {Activation::kRelu, Activation::kTanh, Activation::kSigmoid}) {
    for (const bool in_place : {false, true}) {
      ExpectAsReference(
          [&](Bench& bench) {
            const Slice out = bench.Room(101);
            bench->Activate(kind, bench.Put(Random(1, 101)), out);
            const Slice out_gradient = bench.Put(Random(2, 101));
            const Slice in_gradient = in_place ? out_gradient : bench.Room(101);
            bench->ActivateGradient(kind, out, out_gradient, in_gradient);
            return bench.Get(in_gradient);
          },
          1e-5);
    }
  }
}

TEST_P(BackendTest, SoftmaxIsStableForLargeLogits) {
  const Slice out = bench_.Room(6);
  bench_->Softmax(bench_.Put({1000, 1000, 1000, -1000, 0, std::log(3.0F)}), 3, out);
  EXPECT_THAT(bench_.Get(out),
              Pointwise(FloatNear(1e-6F), Floats{1 / 3.0F, 1 / 3.0F, 1 / 3.0F, 0, 0.25F, 0.75F}));
}

TEST_P(BackendTest, SoftmaxCrossEntropyByHand) {
  const Slice logits = bench_.Put({0, 0, 0, 0, std::log(3.0F), -1000});
  const Slice labels = bench_.Put({2, 0}), gradient = bench_.Room(6);

  const double loss = bench_->SoftmaxCrossEntropy(logits, labels, gradient);

  EXPECT_NEAR(loss, std::log(3.0) + std::log(4.0), 1e-5);
  EXPECT_THAT(
      bench_.Get(gradient),
      Pointwise(FloatNear(1e-6F), Floats{1 / 6.0F, 1 / 6.0F, -1 / 3.0F, -3 / 8.0F, 3 / 8.0F, 0}));
  EXPECT_NEAR(bench_->SoftmaxCrossEntropy(logits, labels, {}), loss, 1e-6);
}

TEST_P(BackendTest, SoftmaxCrossEntropyOfManyClasses) {
  ExpectAsReference(
      [&](Bench& bench) {
        const Slice gradient = bench.Room(4 * 67);
        const double loss = bench->SoftmaxCrossEntropy(bench.Put(Random(5, 4 * 67)),
                                                       bench.Put({0, 66, 33, 5}), gradient);
        Floats all = bench.Get(gradient);
        all.push_back(static_cast<float>(loss));
        return all;
      },
      2e-5);
}

TEST_P(BackendTest, SquaredErrorByHand) {
  const Slice outputs = bench_.Put({1, 2, 3, 4}), targets = bench_.Put({1, 0, 3, 8});
  const Slice gradient = bench_.Room(4);

  EXPECT_DOUBLE_EQ(bench_->SquaredError(outputs, targets, gradient), 20);
  EXPECT_EQ(bench_.Get(gradient), (Floats{0, 1, 0, -2}));
  EXPECT_DOUBLE_EQ(bench_->SquaredError(outputs, targets, {}), 20);
}

TEST_P(BackendTest, StepsByHand) {
  const Slice gradient = bench_.Put({1, -2}), velocity = bench_.Put({4, 0});
  const Slice weights = bench_.Put({10, 20});

  bench_->Step({0.5, 0, 0}, gradient, {}, weights);
  EXPECT_EQ(bench_.Get(weights), (Floats{9.5F, 21}));
  bench_->Step({0.5, 0, 0.5}, gradient, {}, weights);  // g = 1 + 4.75, -2 + 10.5
  EXPECT_EQ(bench_.Get(weights), (Floats{6.625F, 16.75F}));
  bench_->Step({0.5, 0.25, 2}, gradient, velocity, weights);  // v = 1 + 14.25, 0 + 31.5
  EXPECT_EQ(bench_.Get(velocity), (Floats{15.25F, 31.5F}));
  EXPECT_EQ(bench_.Get(weights), (Floats{-1, 1}));
}

INSTANTIATE_TEST_SUITE_P(Every, BackendTest, ::testing::ValuesIn(Backends()),
                         [](const auto& info) { return info.param.name; });

TEST(CpuBackend, TakesTheBestKernelsOfTheMachine) {
  EXPECT_EQ(NewCpuBackend()->name(),
            std::string("cpu (") + UsableCpuKernels().front()->level + ")");
}

}  // namespace
}  // namespace fed::client
