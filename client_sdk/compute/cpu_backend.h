// Training on the CPU: Eigen's kernels in single precision, on the calling thread only.
#ifndef FED_CLIENT_SDK_COMPUTE_CPU_BACKEND_H_
#define FED_CLIENT_SDK_COMPUTE_CPU_BACKEND_H_

#include <memory>
#include <vector>

#include "client_sdk/compute/backend.h"
#include "client_sdk/compute/cpu_kernels.h"

namespace fed::client {

// Kernels that this machine can run, the best first; never empty.
std::vector<const CpuKernels*> UsableCpuKernels();

// `kernels` is one of the above. Equal inputs give equal bits on every machine for the
// same level and C library (its expf and logf).
std::unique_ptr<Backend> NewCpuBackend(const CpuKernels& kernels);

// With the best kernels of this machine.
std::unique_ptr<Backend> NewCpuBackend();

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_COMPUTE_CPU_BACKEND_H_
