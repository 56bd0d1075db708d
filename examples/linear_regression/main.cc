// linear_regression: `nodes` trains in a few nodes through the SDK, `check` looks at what came out.
#include <signal.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "common/base/file.h"
#include "common/tensor/safetensors.h"
#include "examples/linear_regression/samples.h"
#include "examples/sim_clients/simulation.h"
#include "fed/dataset.h"
#include "fed/model_plan.h"
#include "fed/predictor.h"

namespace {

using fed::Status;
using fed::StatusCode;
using fed::examples::Samples;

constexpr std::uint64_t kTrainStream = 0, kFreshStream = 1;
constexpr double kTolerance = 1e-4;  // of the largest weight: what F32 sums leave

struct Flags {
  std::string kind = "linear";
  fed::examples::SimulationOptions simulation;
  std::string token_file;
  int nodes = 4;
  std::string plan, model;
};

Samples SamplesOf(const std::string& kind, int count, std::uint64_t stream) {
  return kind == "linear" ? fed::examples::LinearSamples(count, stream)
                          : fed::examples::ClassSamples(count, stream);
}

Status RunNodes(Flags& flags) {
  FED_ASSIGN_OR_RETURN(flags.simulation.token, fed::examples::ReadToken(flags.token_file));
  flags.simulation.job = flags.kind;
  const Samples samples = SamplesOf(flags.kind, fed::examples::kSamples, kTrainStream);
  FED_ASSIGN_OR_RETURN(
      const auto data,
      fed::NewMemoryDataset(samples.features, {fed::examples::kFeatures}, samples.targets));
  FED_ASSIGN_OR_RETURN(const fed::examples::SimulationEnd end,
                       fed::examples::Simulate(flags.simulation, *data,
                                               fed::examples::SplitAmong(flags.nodes), *data));
  return end.first_error;
}

Status CheckLinear(const fed::Parameters& model) {
  const std::vector<double> exact =
      fed::examples::LeastSquares(SamplesOf("linear", fed::examples::kSamples, kTrainStream));
  double largest = 0, furthest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double got = i < fed::examples::kFeatures ? model.values(0)[i] : model.values(1)[0];
    largest = std::max(largest, std::abs(exact[i]));
    furthest = std::max(furthest, std::abs(got - exact[i]));
  }
  std::printf("largest difference from the closed-form least squares: %.2e (largest weight %.2f)\n",
              furthest, largest);
  if (furthest <= kTolerance * largest) return Status();
  return Status(StatusCode::kInternal, "the model is not the least-squares solution");
}

Status CheckSoftmax(const fed::ModelPlan& plan, const fed::Parameters& model) {
  const Samples fresh = SamplesOf("softmax", fed::examples::kFreshSamples, kFreshStream);
  FED_ASSIGN_OR_RETURN(const auto predictor, fed::Predictor::New(plan, model));
  FED_ASSIGN_OR_RETURN(const std::vector<float> outputs, predictor->Predict(fresh.features));
  const std::vector<std::int64_t> classes = fed::ArgMax(outputs, fed::examples::kClasses);
  int right = 0;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    right += classes[i] == static_cast<std::int64_t>(fresh.targets[i]) ? 1 : 0;
    std::printf("%d/%d%s", static_cast<int>(classes[i]), static_cast<int>(fresh.targets[i]),
                i % 20 == 19 ? "\n" : " ");
  }
  std::printf("predicted/true of %d fresh samples: %d right\n", fed::examples::kFreshSamples,
              right);
  return Status();
}

Status Check(const Flags& flags) {
  fed::FileSystem& files = fed::FileSystem::Real();
  FED_ASSIGN_OR_RETURN(const std::string text, fed::ReadFile(files, flags.plan, 1 << 20));
  FED_ASSIGN_OR_RETURN(const fed::ModelPlan plan, fed::ParseModelPlan(text, flags.plan));
  FED_ASSIGN_OR_RETURN(const fed::Parameters model, fed::LoadSafetensors(files, flags.model));
  return flags.kind == "linear" ? CheckLinear(model) : CheckSoftmax(plan, model);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("linear_regression: two trainings whose end is known");
  app.require_subcommand(1);
  Flags flags;
  flags.simulation.threads = 2;
  CLI::App* const nodes = app.add_subcommand("nodes", "trains until the job has ended");
  nodes->add_option("--server", flags.simulation.server)->required();
  nodes->add_option("--enrollment", flags.simulation.enrollment)->required();
  nodes->add_option("--token-file", flags.token_file)->required();
  nodes->add_option("--state-dir", flags.simulation.state_dir)->required();
  nodes->add_option("--nodes", flags.nodes)->capture_default_str();
  CLI::App* const check = app.add_subcommand("check", "looks at the merged model");
  check->add_option("--plan", flags.plan)->required();
  check->add_option("--model", flags.model, "safetensors")->required();
  for (CLI::App* const command : {nodes, check}) {
    command->add_option("--kind", flags.kind)->check(CLI::IsMember({"linear", "softmax"}));
  }
  CLI11_PARSE(app, argc, argv);
  signal(SIGPIPE, SIG_IGN);
  const Status status = nodes->parsed() ? RunNodes(flags) : Check(flags);
  if (status.ok()) return EXIT_SUCCESS;
  std::fprintf(stderr, "linear_regression: %s\n", status.message().c_str());
  return EXIT_FAILURE;
}
