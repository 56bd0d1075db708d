// Runs many clients, each over its own share of the data, until their job has ended.
#ifndef FED_EXAMPLES_SIM_CLIENTS_SIMULATION_H_
#define FED_EXAMPLES_SIM_CLIENTS_SIMULATION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "examples/sim_clients/faults.h"
#include "fed/client_options.h"
#include "fed/dataset.h"
#include "fed/status.h"

namespace fed::examples {

struct SimulationOptions {
  std::string server, enrollment;  // "host:port"
  std::string token;               // for every client
  std::string evaluator_token;     // empty: no evaluator
  std::string job;
  std::string state_dir;
  int threads = 1;
  Durability durability = Durability::kNormal;
  FaultSpec faults;
  bool verbose = false;
};

struct SimulationEnd {
  int well = 0, failed = 0;
  Status first_error;
};

// Blocks until every client has ended. `parts[c]` are client c's examples of `train`; the evaluator
// gets all of `test`.
StatusOr<SimulationEnd> Simulate(const SimulationOptions& options, const Dataset& train,
                                 const std::vector<std::vector<std::int64_t>>& parts,
                                 const Dataset& test);

// The first line of a file.
StatusOr<std::string> ReadToken(const std::string& path);

}  // namespace fed::examples

#endif  // FED_EXAMPLES_SIM_CLIENTS_SIMULATION_H_
