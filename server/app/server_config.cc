// The keys of fedserver.toml, one list a section.
#include "server/app/server_config.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "common/base/file.h"
#include "common/base/limits.h"
#include "server/round/toml_table.h"

namespace fed::server {
namespace {

constexpr int kMostThreads = 1'024;
constexpr absl::Duration kLongest = absl::Hours(24 * 366);

template <typename T>
TomlKey<T> Flag(absl::string_view name, bool T::*member) {
  return {name, "true or false", [=](const toml::node& node, T& out) {
            const auto value = node.value_exact<bool>();
            if (value) out.*member = *value;
            return value.has_value();
          }};
}

template <typename T>
TomlKey<T> OneOf(absl::string_view name, std::string T::*member,
                 std::vector<absl::string_view> allowed) {
  std::string expected = "one of";
  for (const absl::string_view word : allowed) absl::StrAppend(&expected, " \"", word, "\"");
  return {name, expected, [=](const toml::node& node, T& out) {
            const auto value = node.value_exact<std::string>();
            if (!value) return false;
            const bool known = std::find(allowed.begin(), allowed.end(), *value) != allowed.end();
            if (known) out.*member = *value;
            return known;
          }};
}

// "host:port": the port decides what can be told from a typo.
template <typename T>
TomlKey<T> Address(absl::string_view name, std::string T::*member) {
  return {name, "an address as \"0.0.0.0:7443\"", [=](const toml::node& node, T& out) {
            if (!ReadText(node, out.*member)) return false;
            const absl::string_view text = out.*member;
            const std::size_t colon = text.rfind(':');
            int port = -1;
            return colon != absl::string_view::npos && colon > 0 &&
                   absl::SimpleAtoi(text.substr(colon + 1), &port) && port >= 0 && port <= 65'535;
          }};
}

std::vector<TomlKey<ServerConfig>> TopKeys() {
  return {Duration("grace", &ServerConfig::grace, absl::ZeroDuration(), absl::Hours(1))};
}

std::vector<TomlKey<ListenConfig>> ListenKeys() {
  return {Address("main", &ListenConfig::main), Address("enrollment", &ListenConfig::enrollment),
          Address("admin", &ListenConfig::admin), Flag("reflection", &ListenConfig::reflection),
          Flag("bdp_probe", &ListenConfig::bdp_probe)};
}

std::vector<TomlKey<TlsConfig>> TlsKeys() {
  return {Text("certificate", &TlsConfig::certificate), Text("key", &TlsConfig::key),
          Text("ca", &TlsConfig::ca)};
}

std::vector<TomlKey<CaConfig>> CaKeys() {
  return {Text("folder", &CaConfig::folder),
          Duration("certificate_life", &CaConfig::certificate_life, absl::Minutes(1), kLongest),
          Duration("renew_grace", &CaConfig::renew_grace, absl::ZeroDuration(), kLongest)};
}

std::vector<TomlKey<StorageConfig>> StorageKeys() {
  return {Text("state_dir", &StorageConfig::state_dir),
          OneOf("durability", &StorageConfig::durability, {"full", "normal"})};
}

std::vector<TomlKey<TransferConfig>> TransferKeys() {
  return {
      WholeNumber("max_uploads", &TransferConfig::max_uploads, 1, 100'000),
      WholeNumber("piece_bytes", &TransferConfig::piece_bytes, kMinPieceBytes, kMaxPieceBytes),
      Duration("idle_timeout", &TransferConfig::idle_timeout, absl::Seconds(1), absl::Hours(1))};
}

std::vector<TomlKey<ThreadsConfig>> ThreadsKeys() {
  return {WholeNumber("workers", &ThreadsConfig::workers, 0, kMostThreads),
          WholeNumber("fold", &ThreadsConfig::fold, 0, kMostThreads)};
}

std::vector<TomlKey<LogConfig>> LogKeys() {
  return {OneOf("level", &LogConfig::level, {"debug", "info", "warn", "error"})};
}

// The sections, each with its keys and where they are read into.
template <typename Visit>
void ForEachSection(ServerConfig& config, const Visit& visit) {
  visit("listen", ListenKeys(), config.listen);
  visit("tls", TlsKeys(), config.tls);
  visit("ca", CaKeys(), config.ca);
  visit("storage", StorageKeys(), config.storage);
  visit("transfer", TransferKeys(), config.transfer);
  visit("threads", ThreadsKeys(), config.threads);
  visit("log", LogKeys(), config.log);
}

// One section of the file, if it is there.
template <typename T>
Status Read(const toml::table& top, absl::string_view source, absl::string_view section,
            const std::vector<TomlKey<T>>& keys, T& out) {
  const toml::node* const node = top.get(std::string(section));
  if (node == nullptr) return Status();
  const toml::table* const table = node->as_table();
  if (table == nullptr) {
    return TomlError(source, LineOf(*node), absl::StrCat("'", section, "' must be a section"));
  }
  return ReadSection<T>(*table, {source, section}, keys, out);
}

void Under(const std::string& folder, std::string& path) {
  if (!absl::StartsWith(path, "/")) path = JoinPath(folder, path);
}

}  // namespace

LogLevel LogConfig::least() const {
  if (level == "debug") return LogLevel::kDebug;
  if (level == "warn") return LogLevel::kWarn;
  return level == "error" ? LogLevel::kError : LogLevel::kInfo;
}

StatusOr<ServerConfig> ParseServerConfig(absl::string_view text, absl::string_view source) {
  FED_ASSIGN_OR_RETURN(const toml::table top, ParseToml(text, source));
  ServerConfig config;
  std::vector<absl::string_view> sections;
  ForEachSection(config, [&](absl::string_view section, const auto&, const auto&) {
    sections.push_back(section);
  });
  FED_RETURN_IF_ERROR(ReadSection<ServerConfig>(top, {source, ""}, TopKeys(), config, sections));
  Status status;
  ForEachSection(config, [&](absl::string_view section, const auto& keys, auto& out) {
    if (status.ok()) status = Read(top, source, section, keys, out);
  });
  FED_RETURN_IF_ERROR(status);
  if (config.tls.certificate.empty() != config.tls.key.empty()) {
    return TomlError(source, LineOf(*top.get("tls")),
                     "[tls] needs both 'certificate' and 'key', or neither");
  }
  return config;
}

void ResolvePaths(const std::string& folder, ServerConfig& config) {
  Under(folder, config.ca.folder);
  Under(folder, config.storage.state_dir);
  const auto resolve = [&](std::string& path, const char* in_ca_folder) {
    if (path.empty()) {
      path = JoinPath(config.ca.folder, in_ca_folder);
    } else {
      Under(folder, path);
    }
  };
  resolve(config.tls.certificate, "server.pem");
  resolve(config.tls.key, "server.key");
  resolve(config.tls.ca, "root.pem");
}

std::vector<ConfigKey> AllConfigKeys() {
  std::vector<ConfigKey> keys;
  for (const auto& key : TopKeys()) keys.push_back({"", key.name});
  ServerConfig any;
  ForEachSection(any, [&](absl::string_view section, const auto& list, const auto&) {
    for (const auto& key : list) keys.push_back({section, key.name});
  });
  return keys;
}

}  // namespace fed::server
