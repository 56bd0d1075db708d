// A whole server in this process, on loopback over real TLS.
#ifndef FED_TESTS_INTEGRATION_RUNNING_SERVER_H_
#define FED_TESTS_INTEGRATION_RUNNING_SERVER_H_

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/log.h"
#include "common/base/mutex.h"
#include "server/app/server.h"
#include "server/app/server_config.h"
#include "tests/testing/temp_folder.h"
#include "tests/testing/test_pki.h"

namespace fed::testing {

// How long a test waits for what has to come: far longer than it takes, on any machine.
constexpr absl::Duration kPatience = absl::Seconds(60);

// The value, or the end of the process with what was wrong: no test could go on.
template <typename T>
T Must(StatusOr<T> result) {
  if (!result.ok()) {
    std::fprintf(stderr, "%s\n", result.status().message().c_str());
    std::abort();
  }
  return *std::move(result);
}

// Its CA is TestPki::Shared(). Ports are picked by the kernel and kept by later starts. Serves from
// its construction; prints its log if the test has failed.
class RunningServer {
 public:
  // `configure` may change what the server is made with; the state directory is there already.
  explicit RunningServer(const std::function<void(server::ServerConfig&)>& configure = nullptr);
  ~RunningServer();

  void Stop();   // at once, without a drain
  void Drain();  // as SIGTERM
  void Start();  // over the same state

  const server::ServerAddresses& addresses() const { return addresses_; }
  std::string File(absl::string_view name) const { return folder_.File(name); }
  bool HasLogged(absl::string_view text) const;

 private:
  TempFolder folder_;
  server::ServerConfig config_;
  server::ServerAddresses addresses_;
  mutable Mutex mu_;
  std::vector<std::string> lines_ FED_GUARDED_BY(mu_);
  Log log_;
  std::unique_ptr<server::Server> server_;
};

}  // namespace fed::testing

#endif  // FED_TESTS_INTEGRATION_RUNNING_SERVER_H_
