// fedserver.toml: read and checked once, in this one place.
#ifndef FED_SERVER_APP_SERVER_CONFIG_H_
#define FED_SERVER_APP_SERVER_CONFIG_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/log.h"
#include "fed/status.h"

namespace fed::server {

// [listen]
struct ListenConfig {
  std::string main = "0.0.0.0:7443";        // devices
  std::string enrollment = "0.0.0.0:7444";  // devices that have no certificate yet
  std::string admin = "127.0.0.1:7445";     // operators
  bool reflection = false;                  // on the admin listener
  bool bdp_probe = false;
  friend bool operator==(const ListenConfig&, const ListenConfig&) = default;
};

// [tls]; empty paths: <ca.folder>/server.pem, server.key, root.pem
struct TlsConfig {
  std::string certificate;
  std::string key;
  std::string ca;
  friend bool operator==(const TlsConfig&, const TlsConfig&) = default;
};

// [ca]
struct CaConfig {
  std::string folder = "ca";  // of `fedctl ca init`; relative to the configuration file
  absl::Duration certificate_life = absl::Hours(24);
  absl::Duration renew_grace = absl::Hours(24 * 30);
  friend bool operator==(const CaConfig&, const CaConfig&) = default;
};

// [storage]
struct StorageConfig {
  std::string state_dir = "state";  // relative to the configuration file
  // "full": survives a power cut; "normal": the death of the process
  std::string durability = "full";
  friend bool operator==(const StorageConfig&, const StorageConfig&) = default;
};

// [transfer]
struct TransferConfig {
  int max_uploads = 64;
  std::int64_t piece_bytes = 1 << 20;
  absl::Duration idle_timeout = absl::Minutes(1);
  friend bool operator==(const TransferConfig&, const TransferConfig&) = default;
};

// [threads]; 0: as many as the machine has cores
struct ThreadsConfig {
  int workers = 0;  // ingest, downloads, store
  int fold = 0;
  friend bool operator==(const ThreadsConfig&, const ThreadsConfig&) = default;
};

// [log]
struct LogConfig {
  std::string level = "info";  // debug, info, warn, error
  LogLevel least() const;
  friend bool operator==(const LogConfig&, const LogConfig&) = default;
};

struct ServerConfig {
  ListenConfig listen;
  TlsConfig tls;
  CaConfig ca;
  StorageConfig storage;
  TransferConfig transfer;
  ThreadsConfig threads;
  LogConfig log;
  absl::Duration grace = absl::Seconds(20);  // of SIGTERM
  friend bool operator==(const ServerConfig&, const ServerConfig&) = default;
};

// kInvalidArgument: "fedserver.toml:7: unknown key 'listn' ...; did you mean 'listen'?" and the
// like.
StatusOr<ServerConfig> ParseServerConfig(absl::string_view toml, absl::string_view source);

// Fills in what depends on other values, with paths relative to `folder`.
void ResolvePaths(const std::string& folder, ServerConfig& config);

// Every key of every section, for whoever documents them.
struct ConfigKey {
  absl::string_view section;  // "" at the top
  absl::string_view name;
};
std::vector<ConfigKey> AllConfigKeys();

}  // namespace fed::server

#endif  // FED_SERVER_APP_SERVER_CONFIG_H_
