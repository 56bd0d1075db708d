// Clients that misbehave as devices do: they vanish, they are slow.
#ifndef FED_EXAMPLES_SIM_CLIENTS_FAULTS_H_
#define FED_EXAMPLES_SIM_CLIENTS_FAULTS_H_

#include <cstdint>
#include <memory>

#include "absl/time/time.h"
#include "common/base/random.h"
#include "fed/trainer.h"

namespace fed::examples {

struct FaultSpec {
  double drop = 0;        // probability that a client vanishes in the middle of a training
  double slow_share = 0;  // share of the clients that are slow
  absl::Duration slow_batch = absl::Milliseconds(50);  // that a slow one takes longer a batch
  double crash_upload = 0;  // probability that a client breaks off in the middle of an upload
  std::uint64_t seed = 0;
};

// `inner`, with the faults of this client: equal seed and client, equal faults.
std::unique_ptr<Trainer> WithFaults(std::unique_ptr<Trainer> inner, const FaultSpec& spec,
                                    std::uint64_t client);

// Whether this client is one of the slow ones.
bool IsSlow(const FaultSpec& spec, std::uint64_t client);

}  // namespace fed::examples

#endif  // FED_EXAMPLES_SIM_CLIENTS_FAULTS_H_
