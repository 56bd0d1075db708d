// fedserver's main() without flags and signals.
#include "tests/integration/running_server.h"

#include <gtest/gtest.h>

#include <csignal>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/check.h"
#include "common/base/file.h"
#include "server/security/tls_policy.h"

namespace fed::testing {
namespace {

// Before the first TLS context of the process.
void PrepareProcess() {
  static const bool prepared = [] {
    std::signal(SIGPIPE, SIG_IGN);
    return server::RequireTls13().ok();
  }();
  FED_CHECK(prepared);
}

}  // namespace

RunningServer::RunningServer(const std::function<void(server::ServerConfig&)>& configure)
    : log_(
          [this](LogLevel, absl::string_view line) {
            MutexLock lock(mu_);
            lines_.emplace_back(line);
          },
          LogLevel::kDebug) {
  PrepareProcess();
  config_.listen.main = config_.listen.enrollment = config_.listen.admin = "127.0.0.1:0";
  config_.ca.folder = TestPki::Shared().folder();
  config_.storage.state_dir = folder_.File("state");
  config_.storage.durability = "normal";  // what a test asks for is not slower disks
  config_.threads.workers = 4;
  config_.threads.fold = 2;
  FED_CHECK(FileSystem::Real().MakeFolder(config_.storage.state_dir).ok());
  server::ResolvePaths(folder_.path(), config_);
  if (configure) configure(config_);
  Start();
}

RunningServer::~RunningServer() {
  Stop();
  if (!::testing::Test::HasFailure()) return;
  MutexLock lock(mu_);
  std::cerr << absl::StrCat("the server's log:\n", absl::StrJoin(lines_, "\n"), "\n");
}

void RunningServer::Stop() { server_.reset(); }

void RunningServer::Drain() { server_->Drain(); }

void RunningServer::Start() {
  server_ = Must(server::Server::Start(config_, log_, [](const Status& why) {
    std::cerr << "the server would have ended: " << why.message() << "\n";
    std::abort();
  }));
  addresses_ = server_->addresses();
  config_.listen.main = addresses_.main;
  config_.listen.enrollment = addresses_.enrollment;
  config_.listen.admin = addresses_.admin;
}

bool RunningServer::HasLogged(absl::string_view text) const {
  MutexLock lock(mu_);
  for (const std::string& line : lines_) {
    if (absl::string_view(line).find(text) != absl::string_view::npos) return true;
  }
  return false;
}

}  // namespace fed::testing
