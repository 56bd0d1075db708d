// A step takes no memory from the heap after the first one. Linked with --wrap=malloc and
// --wrap=aligned_alloc, so that every call of ours is counted.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "client_sdk/compute/cpu_backend.h"
#include "client_sdk/compute/training_loop.h"
#include "tests/unit/client_sdk/compute/small_model.h"

namespace {
int allocations = 0;
}  // namespace

extern "C" {
void* __real_malloc(std::size_t bytes);
void* __real_aligned_alloc(std::size_t alignment, std::size_t bytes);
void* __wrap_malloc(std::size_t bytes) {
  ++allocations;
  return __real_malloc(bytes);
}
void* __wrap_aligned_alloc(std::size_t alignment, std::size_t bytes) {
  ++allocations;
  return __real_aligned_alloc(alignment, bytes);
}
}

// Not inlined: GCC would take the free within a delete for a mistake.
[[gnu::noinline]] void* operator new(std::size_t bytes) {
  void* memory = std::malloc(bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace fed::client {
namespace {

TEST(RunTraining, TakesNoMemoryAfterItsFirstStep) {
  // Layers beyond every block of the product; epochs that end with a smaller batch.
  const ModelPlan plan = ValueOf(
      ParseModelPlan("name='big'\ninput=[600]\nloss='softmax_cross_entropy'\n"
                     "[[layer]]\ntype='linear'\nname='a'\nout=500\n[[layer]]\ntype='tanh'\n"
                     "[[layer]]\ntype='linear'\nname='b'\nout=300\n[[layer]]\ntype='sigmoid'\n"
                     "[[layer]]\ntype='linear'\nname='c'\nout=10\n",
                     "big.toml"));
  const std::vector<float> features(50 * 600, 0.5F), labels(50, 1.0F);
  const auto data = ValueOf(NewMemoryDataset(features, {600}, labels));
  const Parameters model = ValueOf(Initialize(plan, 1));
  for (const CpuKernels* kernels : UsableCpuKernels()) {
    const auto backend = NewCpuBackend(*kernels);
    const auto network = ValueOf(Network::New(plan, *backend));
    ASSERT_OK(network->Load(model));
    HyperParameters parameters;
    parameters.epochs = 3;
    parameters.batch_size = 20;
    parameters.learning_rate = 0.01;
    parameters.momentum = 0.9;
    int after_first = 0;
    TrainContext context;
    context.keep_going = [&](const TrainProgress& progress) {
      if (progress.step == 1) after_first = allocations;
      return true;
    };

    const bool trained = RunTraining(parameters, *data, context, *network).ok();

    EXPECT_EQ(allocations, after_first) << kernels->level;
    EXPECT_TRUE(trained);
    EXPECT_GT(after_first, 0);
  }
}

}  // namespace
}  // namespace fed::client
