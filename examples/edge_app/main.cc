// edge_app: one device that takes part in one job with examples of its own.
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "fed/client.h"
#include "fed/dataset.h"
#include "fed/trainer.h"

namespace {

using Flags = std::map<std::string, std::string>;

constexpr char kUsage[] =
    "usage: edge_app --server HOST:PORT --enrollment HOST:PORT --token-file FILE --job ID\n"
    "                --state-dir FOLDER --data FILE.csv | FOLDER of IDX files\n"
    "The token is needed until the device has enrolled; then the state folder has its identity.\n";

// Every flag has a value; the token file may be left out.
bool ReadFlags(int argc, char** argv, Flags& flags) {
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view flag = argv[i];
    if (flag.substr(0, 2) != "--") return false;
    flags[std::string(flag.substr(2))] = argv[i + 1];
  }
  for (const char* name : {"server", "enrollment", "job", "state-dir", "data"}) {
    if (flags[name].empty()) return false;
  }
  return argc % 2 == 1;
}

// An IDX file is plain or compressed.
std::string IdxFile(const std::string& folder, const std::string& name) {
  const std::string plain = folder + "/" + name;
  return std::filesystem::exists(plain) ? plain : plain + ".gz";
}

fed::StatusOr<std::unique_ptr<fed::Dataset>> LoadData(const std::string& path) {
  if (!std::filesystem::is_directory(path)) return fed::LoadCsvDataset(path);
  return fed::LoadIdxDataset(IdxFile(path, "train-images-idx3-ubyte"),
                             IdxFile(path, "train-labels-idx1-ubyte"));
}

// In the order of ClientProgress::Stage.
constexpr const char* kStages[] = {"waiting",   "downloading", "training",
                                   "uploading", "evaluating",  "settled"};

void Show(const fed::ClientProgress& progress) {
  std::printf("round %lld: %s, step %lld of %lld, loss %.4f\n",
              static_cast<long long>(progress.round), kStages[static_cast<int>(progress.stage)],
              static_cast<long long>(progress.step), static_cast<long long>(progress.steps),
              progress.loss);
  std::fflush(stdout);
}

fed::Status TakePart(const Flags& flags, const sigset_t& ending) {
  auto data = LoadData(flags.at("data"));
  if (!data.ok()) return data.status();

  fed::ClientOptions options;
  options.server = flags.at("server");
  options.identity.enrollment_server = flags.at("enrollment");
  if (const auto token = flags.find("token-file"); token != flags.end()) {
    std::ifstream(token->second) >> options.identity.enrollment_token;
  }
  options.state_dir = flags.at("state-dir");
  options.job = flags.at("job");
  options.examples = (*data)->size();
  options.trainer = [&](const fed::JobInfo& job) -> fed::StatusOr<std::unique_ptr<fed::Trainer>> {
    if (job.plan == nullptr) {
      return fed::Status(fed::StatusCode::kFailedPrecondition, "this job has no model plan");
    }
    return fed::NewNativeTrainer(*job.plan, **data);
  };
  options.on_progress = Show;
  options.on_log = [](fed::LogSeverity severity, std::string_view line) {
    if (severity == fed::LogSeverity::kDebug) return;
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };

  auto client = fed::Client::New(options);
  if (!client.ok()) return client.status();
  std::thread stopper([&ending, device = client->get()] {
    int signal_number = 0;
    sigwait(&ending, &signal_number);
    device->Stop();
  });
  const fed::Status end = (*client)->Run();
  kill(getpid(), SIGTERM);  // ends the waiting thread
  stopper.join();
  return end;
}

}  // namespace

int main(int argc, char** argv) {
  Flags flags;
  if (!ReadFlags(argc, argv, flags)) return std::fputs(kUsage, stderr), 2;
  sigset_t ending;  // taken by one waiting thread: blocked before any other thread begins
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  const fed::Status end = TakePart(flags, ending);
  if (end.ok() || end.code() == fed::StatusCode::kCancelled) return EXIT_SUCCESS;
  std::fprintf(stderr, "edge_app: %s\n", end.message().c_str());
  return EXIT_FAILURE;
}
