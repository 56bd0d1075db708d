// The clients of a simulation.
#include "examples/sim_clients/simulation.h"

#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "fed/client_pool.h"
#include "fed/trainer.h"

namespace fed::examples {
namespace {

constexpr std::int64_t kMaxTokenBytes = 4'096;

// Threads: Add from one; everything else from the pool's.
class Simulation {
 public:
  Simulation(const SimulationOptions& options, ClientPool& pool) : options_(options), pool_(pool) {}

  Status AddClient(std::uint64_t number, const Dataset& data) {
    ClientOptions client = Common(absl::StrFormat("client-%04d", number));
    client.identity.enrollment_token = options_.token;
    client.examples = data.size();
    client.labels = {{"number", absl::StrCat(number)}};
    client.trainer = [this, &data,
                      number](const JobInfo& job) -> StatusOr<std::unique_ptr<Trainer>> {
      FED_ASSIGN_OR_RETURN(std::unique_ptr<Trainer> trainer, NewTrainer(job, data));
      return WithFaults(std::move(trainer), options_.faults, number);
    };
    if (options_.faults.crash_upload > 0) CrashInUploads(number, client);
    return Add(std::move(client));
  }

  Status AddEvaluator(const Dataset& data) {
    ClientOptions evaluator = Common("evaluator");
    evaluator.identity.enrollment_token = options_.evaluator_token;
    evaluator.trainer = [&data](const JobInfo& job) { return NewTrainer(job, data); };
    return Add(std::move(evaluator));
  }

  SimulationEnd end() {
    MutexLock lock(mu_);
    return end_;
  }

 private:
  static StatusOr<std::unique_ptr<Trainer>> NewTrainer(const JobInfo& job, const Dataset& data) {
    if (job.plan == nullptr) {
      return Status(
          StatusCode::kFailedPrecondition,
          absl::StrCat("job '", job.job, "' has no model plan; sim_clients trains plans"));
    }
    return NewNativeTrainer(*job.plan, data);
  }

  ClientOptions Common(const std::string& name) const {
    ClientOptions client;
    client.server = options_.server;
    client.identity.enrollment_server = options_.enrollment;
    client.state_dir = JoinPath(options_.state_dir, name);
    client.name = name;
    client.job = options_.job;
    client.durability = options_.durability;
    client.on_log = [name, verbose = options_.verbose](LogSeverity severity,
                                                       std::string_view line) {
      if (!verbose && severity < LogSeverity::kWarning) return;
      std::fprintf(stderr, "%s %.*s\n", name.c_str(), static_cast<int>(line.size()), line.data());
    };
    return client;
  }

  // Breaks off in the middle of some uploads; Ended brings the client back, from its state folder
  // alone.
  void CrashInUploads(std::uint64_t number, ClientOptions& client) {
    auto random = std::make_shared<RandomStream>(options_.faults.seed, RandomPurpose::kFault,
                                                 std::uint64_t{1} << 32 | number);
    client.on_progress = [this, random, dir = client.state_dir,
                          round = std::int64_t{0}](const ClientProgress& progress) mutable {
      const bool in_upload = progress.stage == ClientProgress::Stage::kUploading;
      if (!in_upload || progress.round == round) return;
      round = progress.round;
      if (random->Uniform() >= options_.faults.crash_upload) return;
      {
        MutexLock lock(mu_);
        crashed_.insert(dir);
      }
      pool_.StopOne(dir);
    };
  }

  Status Add(ClientOptions client) {
    ClientOptions again = client;
    return pool_.Add(std::move(client), [this, again = std::move(again)](Status status) mutable {
      Ended(std::move(again), std::move(status));
    });
  }

  void Ended(ClientOptions client, Status status) {
    bool comes_back = false;
    {
      MutexLock lock(mu_);
      comes_back = crashed_.erase(client.state_dir) > 0;
    }
    if (comes_back) {
      status = Add(std::move(client));
      if (status.ok()) return;
    }
    MutexLock lock(mu_);
    if (status.ok()) {
      ++end_.well;
      return;
    }
    if (end_.failed++ == 0) end_.first_error = std::move(status);
  }

  const SimulationOptions& options_;
  ClientPool& pool_;
  Mutex mu_;
  std::set<std::string> crashed_ FED_GUARDED_BY(mu_);  // state folders
  SimulationEnd end_ FED_GUARDED_BY(mu_);
};

}  // namespace

StatusOr<SimulationEnd> Simulate(const SimulationOptions& options, const Dataset& train,
                                 const std::vector<std::vector<std::int64_t>>& parts,
                                 const Dataset& test) {
  std::vector<std::unique_ptr<Dataset>> shards;
  for (const std::vector<std::int64_t>& part : parts) {
    FED_ASSIGN_OR_RETURN(std::unique_ptr<Dataset> shard, NewSubset(train, part));
    shards.push_back(std::move(shard));
  }
  FED_ASSIGN_OR_RETURN(const std::unique_ptr<ClientPool> pool, ClientPool::New(options.threads));
  Simulation simulation(options, *pool);
  for (std::size_t c = 0; c < shards.size(); ++c) {
    FED_RETURN_IF_ERROR(simulation.AddClient(c, *shards[c]));
  }
  if (!options.evaluator_token.empty()) FED_RETURN_IF_ERROR(simulation.AddEvaluator(test));
  pool->Wait();
  return simulation.end();
}

StatusOr<std::string> ReadToken(const std::string& path) {
  FED_ASSIGN_OR_RETURN(const std::string text, ReadFile(FileSystem::Real(), path, kMaxTokenBytes));
  const std::string token(
      absl::StripAsciiWhitespace(absl::string_view(text).substr(0, text.find('\n'))));
  if (token.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat(path, " holds no token; make one with `fedctl enroll-token`"));
  }
  return token;
}

}  // namespace fed::examples
