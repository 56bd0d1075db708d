// fedserver: flags, configuration, signals.
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include "common/base/file.h"
#include "common/base/log.h"
#include "server/app/server.h"
#include "server/app/server_config.h"
#include "server/security/tls_policy.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace {

using fed::LogLevel;
using fed::Status;
using fed::StatusOr;
using fed::server::ServerConfig;

constexpr std::int64_t kMaxConfigBytes = 1 << 20;
constexpr int kUnknownOutcome = 3;  // exit code: start again, the books are looked at then

struct Flags {
  std::string config;
  std::string main, enrollment, admin, state_dir, durability, log_level;
  std::string ready_file;
};

void Describe(CLI::App& app, Flags& flags) {
  app.add_option("--config,-c", flags.config, "fedserver.toml")->required();
  app.add_option("--main", flags.main, "overrides [listen] main");
  app.add_option("--enrollment", flags.enrollment, "overrides [listen] enrollment");
  app.add_option("--admin", flags.admin, "overrides [listen] admin");
  app.add_option("--state-dir", flags.state_dir, "overrides [storage] state_dir");
  app.add_option("--durability", flags.durability, "overrides [storage] durability")
      ->check(CLI::IsMember({"full", "normal"}));
  app.add_option("--log-level", flags.log_level, "overrides [log] level")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}));
  app.add_option("--ready-file", flags.ready_file,
                 "written once it serves: the main, enrollment and admin address, a line each");
  app.set_version_flag("--version", FED_VERSION);
}

StatusOr<ServerConfig> Configure(const Flags& flags) {
  fed::FileSystem& files = fed::FileSystem::Real();
  FED_ASSIGN_OR_RETURN(const std::string text, fed::ReadFile(files, flags.config, kMaxConfigBytes));
  FED_ASSIGN_OR_RETURN(ServerConfig config, fed::server::ParseServerConfig(text, flags.config));
  const auto override_by = [](const std::string& flag, std::string& value) {
    if (!flag.empty()) value = flag;
  };
  override_by(flags.main, config.listen.main);
  override_by(flags.enrollment, config.listen.enrollment);
  override_by(flags.admin, config.listen.admin);
  override_by(flags.durability, config.storage.durability);
  override_by(flags.log_level, config.log.level);
  fed::server::ResolvePaths(fed::FolderOf(flags.config), config);
  override_by(flags.state_dir, config.storage.state_dir);
  return config;
}

// spdlog writes whole lines from any thread.
fed::Log MakeLog(LogLevel least) {
  auto logger = spdlog::stderr_color_mt("fedserver");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%L%$ %v");
  logger->set_level(spdlog::level::debug);
  logger->flush_on(spdlog::level::info);
  return fed::Log(
      [logger](LogLevel level, absl::string_view line) {
        const spdlog::string_view_t text(line.data(), line.size());
        switch (level) {
          case LogLevel::kDebug:
            return logger->debug(text);
          case LogLevel::kInfo:
            return logger->info(text);
          case LogLevel::kWarn:
            return logger->warn(text);
          case LogLevel::kError:
            return logger->error(text);
        }
      },
      least);
}

Status WriteReadyFile(const std::string& path, const fed::server::ServerAddresses& at) {
  if (path.empty()) return Status();
  return fed::WriteFileDurably(fed::FileSystem::Real(), path,
                               at.main + "\n" + at.enrollment + "\n" + at.admin + "\n");
}

// The signals that end us are taken by one waiting thread: blocked before any other thread begins.
sigset_t BlockEndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  return signals;
}

int Fail(const Status& status) {
  std::fprintf(stderr, "fedserver: %s\n", status.message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("fedserver: federated-learning server");
  Flags flags;
  Describe(app, flags);
  CLI11_PARSE(app, argc, argv);
  const sigset_t signals = BlockEndingSignals();
  if (const Status status = fed::server::RequireTls13(); !status.ok()) return Fail(status);
  const StatusOr<ServerConfig> config = Configure(flags);
  if (!config.ok()) return Fail(config.status());

  const fed::Log log = MakeLog(config->log.least());
  const auto die = [&log](const Status& status) {
    log.Error("commit.outcome_unknown", {{"error", status.message()}, {"exit", kUnknownOutcome}});
    std::_Exit(kUnknownOutcome);
  };
  auto started = fed::server::Server::Start(*config, log, die);
  if (!started.ok()) return Fail(started.status());
  std::unique_ptr<fed::server::Server> server = *std::move(started);
  if (const Status s = WriteReadyFile(flags.ready_file, server->addresses()); !s.ok()) {
    return Fail(s);
  }
  int signal_number = 0;
  sigwait(&signals, &signal_number);
  log.Info("server.stopping", {{"signal", signal_number}});
  server->Drain();
  server.reset();
  log.Info("server.stopped");
  return 0;
}
