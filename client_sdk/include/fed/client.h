// One device: enrolls, waits for work, trains, uploads, resumes.
//
//   fed::ClientOptions options;
//   options.server = "fed.example.com:7443";
//   options.identity = {.enrollment_server = "fed.example.com:7444", .enrollment_token = token};
//   options.state_dir = "/var/lib/my-app/fed";
//   options.job = "keyboard";
//   options.trainer = [&](const fed::JobInfo& job) { return fed::NewNativeTrainer(*job.plan, data);
//   }; auto client = fed::Client::New(options); fed::Status end = (*client)->Run();  // until the
//   job has ended, or Stop()
#ifndef FED_CLIENT_H_
#define FED_CLIENT_H_

#include <memory>

#include "fed/client_options.h"
#include "fed/status.h"

namespace fed {

class Client {
 public:
  // kInvalidArgument: an option is missing or does not fit the others. Touches no network.
  // kFailedPrecondition: another process has this state_dir.
  static StatusOr<std::unique_ptr<Client>> New(ClientOptions options);

  virtual ~Client() = default;  // as Stop, and waits

  // Takes part until the job has ended (OK), Stop was called (kCancelled), or nothing more can
  // succeed: kUnauthenticated (the token is not good, the identity is revoked), kPermissionDenied,
  // kFailedPrecondition. A server that can't be reached is retried for ever. Blocks; call it once.
  virtual Status Run() = 0;

  // Ends Run soon: training stops between two batches; an update in the outbox stays there and is
  // sent by the next Run. From any thread, any number of times.
  virtual void Stop() = 0;
};

}  // namespace fed

#endif  // FED_CLIENT_H_
