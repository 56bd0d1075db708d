// The whole service: owns every part, starts them from below to above and stops them the other way.
#ifndef FED_SERVER_APP_SERVER_H_
#define FED_SERVER_APP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "common/base/log.h"
#include "fed/status.h"
#include "server/app/server_config.h"

namespace fed::server {

struct ServerAddresses {
  std::string main, enrollment, admin;  // "host:port" with the ports that were picked
};

// Life: Start -> serves -> Drain, or the destructor, which does not wait for uploads.
class Server {
 public:
  // kFailedPrecondition: the state directory is another server's, a certificate is of no use, TLS
  // 1.2 is answered. kNotFound: no CA yet, run `fedctl ca init`. kUnavailable: an address is taken.
  // `die` ends the process when a commit's outcome is unknown; the next start looks. REQUIRES:
  // RequireTls13() was called.
  static StatusOr<std::unique_ptr<Server>> Start(const ServerConfig& config, const Log& log,
                                                 std::function<void(const Status&)> die);
  virtual ~Server() = default;

  virtual const ServerAddresses& addresses() const = 0;

  // Polls end with come-back-later, uploads may end within the grace time, rounds stay as they are.
  // Blocks until nothing is served any more.
  virtual void Drain() = 0;
};

}  // namespace fed::server

#endif  // FED_SERVER_APP_SERVER_H_
