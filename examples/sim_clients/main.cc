// sim_clients: many devices in one process, each with its own identity, data and connection,
// against a real fedserver.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "client_sdk/data/idx_folder.h"
#include "examples/sim_clients/label_table.h"
#include "examples/sim_clients/partition.h"
#include "examples/sim_clients/simulation.h"

namespace {

using fed::Status;
using fed::StatusOr;
using fed::examples::SimulationOptions;

struct Flags {
  SimulationOptions simulation;
  fed::examples::PartitionSpec partition;
  std::string data, token_file, evaluator_token_file, durability = "normal", slow_batch = "50ms";
  bool resample = false;
  std::size_t rows = 10;
};

void Describe(CLI::App& app, Flags& flags) {
  SimulationOptions& simulation = flags.simulation;
  fed::examples::PartitionSpec& partition = flags.partition;
  app.add_option("--server", simulation.server, "main listener, host:port")->required();
  app.add_option("--enrollment", simulation.enrollment, "enrollment listener, host:port")
      ->required();
  app.add_option("--token-file", flags.token_file, "file with a token for as many clients")
      ->required();
  app.add_option("--evaluator-token-file", flags.evaluator_token_file,
                 "file with a token for an evaluator, which gets the test data; none without it");
  app.add_option("--job", simulation.job, "job to take part in")->required();
  app.add_option("--state-dir", simulation.state_dir, "a folder for each client in here")
      ->required();
  app.add_option("--data", flags.data, "folder of IDX files (train-..., t10k-...), plain or gzip")
      ->required();
  app.add_option("--clients", partition.clients, "how many")->capture_default_str();
  app.add_option("--threads", simulation.threads, "that train; 0: one a core")
      ->capture_default_str();
  app.add_option("--partition", partition.kind,
                 "iid, sequential, stratified, shards, dirichlet or quantity")
      ->capture_default_str();
  app.add_option("--labels-per-client", partition.labels_per_client, "of shards")
      ->capture_default_str();
  app.add_option("--alpha", partition.alpha, "of dirichlet and quantity")->capture_default_str();
  app.add_flag("--resample", flags.resample, "repeat rare labels until a client's are even");
  app.add_option("--seed", partition.seed, "of the partition and the faults")
      ->capture_default_str();
  app.add_option("--durability", flags.durability, "of the clients' outboxes")
      ->check(CLI::IsMember({"full", "normal"}))
      ->capture_default_str();
  app.add_option("--rows", flags.rows, "clients whose labels are printed")->capture_default_str();
  app.add_option("--drop", simulation.faults.drop, "probability to vanish in a training")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow", simulation.faults.slow_share, "share of clients that are slow")
      ->check(CLI::Range(0.0, 1.0));
  app.add_option("--slow-batch", flags.slow_batch, "that a slow one takes longer a batch")
      ->capture_default_str();
  app.add_option("--crash-upload", simulation.faults.crash_upload,
                 "probability to break off in an upload, and to come back")
      ->check(CLI::Range(0.0, 1.0));
  app.add_flag("--verbose", simulation.verbose, "print what the clients log");
}

std::vector<std::int64_t> LabelsOf(const fed::Dataset& data) {
  const auto size = static_cast<std::size_t>(data.size());
  std::int64_t values = 1;
  for (const std::int64_t dimension : data.example_shape()) values *= dimension;
  std::vector<float> features(static_cast<std::size_t>(values)), target(1);
  std::vector<std::int64_t> labels(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::int64_t index = static_cast<std::int64_t>(i);
    data.Gather({&index, 1}, features, target);
    labels[i] = static_cast<std::int64_t>(target[0]);
  }
  return labels;
}

Status Run(Flags& flags) {
  using fed::examples::ReadToken;
  SimulationOptions& simulation = flags.simulation;
  FED_ASSIGN_OR_RETURN(simulation.token, ReadToken(flags.token_file));
  if (!flags.evaluator_token_file.empty()) {
    FED_ASSIGN_OR_RETURN(simulation.evaluator_token, ReadToken(flags.evaluator_token_file));
  }
  if (!absl::ParseDuration(flags.slow_batch, &simulation.faults.slow_batch)) {
    return Status(fed::StatusCode::kInvalidArgument,
                  "--slow-batch must be a duration such as 50ms");
  }
  simulation.durability =
      flags.durability == "full" ? fed::Durability::kFull : fed::Durability::kNormal;
  simulation.faults.seed = flags.partition.seed;
  FED_ASSIGN_OR_RETURN(const auto train, fed::LoadIdxFolder(flags.data, fed::IdxSplit::kTrain));
  FED_ASSIGN_OR_RETURN(const auto test, fed::LoadIdxFolder(flags.data, fed::IdxSplit::kTest));

  const std::vector<std::int64_t> labels = LabelsOf(*train);
  FED_ASSIGN_OR_RETURN(auto parts, fed::examples::Partition(labels, flags.partition));
  if (flags.resample) {
    for (std::size_t c = 0; c < parts.size(); ++c) {
      parts[c] = fed::examples::EvenOut(labels, std::move(parts[c]), flags.partition.seed, c);
    }
  }
  std::fputs(fed::examples::LabelTable(labels, parts, flags.rows).c_str(), stdout);
  std::fflush(stdout);

  FED_ASSIGN_OR_RETURN(const fed::examples::SimulationEnd end,
                       fed::examples::Simulate(simulation, *train, parts, *test));
  std::fputs(
      absl::StrFormat("%d clients ended well, %d with an error\n", end.well, end.failed).c_str(),
      stdout);
  if (end.failed > 0) return end.first_error;
  return Status();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("sim_clients: many devices in one process against a real fedserver");
  Flags flags;
  Describe(app, flags);
  CLI11_PARSE(app, argc, argv);
  if (flags.simulation.threads == 0) {
    flags.simulation.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  signal(SIGPIPE, SIG_IGN);
  const Status status = Run(flags);
  if (status.ok()) return EXIT_SUCCESS;
  std::fprintf(stderr, "sim_clients: %s\n", status.message().c_str());
  return EXIT_FAILURE;
}
