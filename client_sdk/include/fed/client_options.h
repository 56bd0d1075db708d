// How a device takes part: where the server is, who the device is, what its owner allows.
#ifndef FED_CLIENT_OPTIONS_H_
#define FED_CLIENT_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fed/model_plan.h"
#include "fed/status.h"
#include "fed/trainer.h"

namespace fed {

// Where the device enrolls and who it is. Either a token (the device makes its own key, which never
// leaves state_dir, and renews its certificate by itself) or files that someone else keeps.
struct IdentityOptions {
  std::string enrollment_server;  // "host:port" of the enrollment listener
  std::string enrollment_token;  // from `fedctl enroll-token`; used once, then the state_dir has it
  std::string certificate_path;  // PEM, with its chain; with it key_path and ca_path
  std::string key_path;
  std::string ca_path;  // PEM; the root that the server's certificate must chain to
};

// Bounds that the device's owner sets; a job that asks for more is not trained (the log says so).
struct OwnerLimits {
  std::int64_t max_model_bytes = std::int64_t{4} << 30;
  std::int64_t max_epochs = 1'000;
  std::int64_t max_steps = 10'000'000;
  std::int64_t max_cache_bytes = std::int64_t{8} << 30;  // of downloaded chunks on disk
};

// What a job says of itself when a trainer is made for it.
struct JobInfo {
  std::string job;
  const ModelPlan* plan = nullptr;  // null: the job has none, bring your own model
};

// Made once a job, before its first training; called on a thread of the client.
using TrainerFactory = std::function<StatusOr<std::unique_ptr<Trainer>>(const JobInfo& job)>;

enum class LogSeverity { kDebug, kInfo, kWarning, kError };

struct ClientProgress {
  enum class Stage { kWaiting, kDownloading, kTraining, kUploading, kEvaluating, kSettled };
  std::string job;
  std::int64_t round = 0;
  Stage stage = Stage::kWaiting;
  std::int64_t step = 0, steps = 0;
  double loss = 0;
};

// full: an update survives a power cut of the device; normal: the death of its process.
enum class Durability { kFull, kNormal };

struct ClientOptions {
  std::string server;  // "host:port" of the main listener
  IdentityOptions identity;
  std::string
      state_dir;     // the device's own folder: key, outbox, cache, training state. One client each
  std::string name;  // for people
  std::map<std::string, std::string> labels;  // e.g. {"site", "berlin"}; at most 32
  std::string job;  // takes part in this one only, and Run ends with it; empty: in every job
                    // that allows this device, for ever
  std::int64_t examples = 0;  // told to the server as a hint; 0: not told
  TrainerFactory trainer;     // required
  Durability durability = Durability::kFull;
  OwnerLimits limits;

  // Asked before work is asked for: charging? unmetered? enough data? Empty: always. On a thread of
  // the client; must not block.
  std::function<bool()> eligible;
  std::function<void(const ClientProgress&)>
      on_progress;  // on a thread of the client; must not block
  std::function<void(LogSeverity, std::string_view line)> on_log;

  std::chrono::milliseconds retry_first{200};  // jittered exponential back-off
  std::chrono::milliseconds retry_longest{30'000};
};

}  // namespace fed

#endif  // FED_CLIENT_OPTIONS_H_
