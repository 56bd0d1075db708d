// The operator of the tests: makes jobs, and looks at what became of them.
#ifndef FED_TESTS_INTEGRATION_JOB_OPERATOR_H_
#define FED_TESTS_INTEGRATION_JOB_OPERATOR_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/role.h"
#include "fed/parameters.h"
#include "fed/status.h"
#include "fed/v1/admin.grpc.pb.h"
#include "tests/integration/peer.h"
#include "tests/integration/running_server.h"

namespace fed::testing {

extern const char* const kTinyPlan;  // softmax, 4 -> 3

// A job.toml and what belongs to it. The rest is said by `in_rounds` and `more`.
struct JobText {
  std::string id = "job-a";
  int rounds = 1;
  int cohort = 1;
  int evaluate_every = 0;
  std::string training = "learning_rate = 0.5";
  std::string in_rounds = {};         // further keys of [rounds]
  std::string in_model = "seed = 1";  // further keys of [model]
  std::string more = {};              // further sections
  std::string plan = kTinyPlan;       // empty: the model is the file's
  std::string model = {};             // bytes of the initial model; empty: from the plan

  std::string Toml() const;
};

// The bytes of its safetensors file.
std::string FileOf(const Parameters& model);

// Looks again and again, until it is so: for what nobody is told of. `is_so` asks the server, so
// this waits for its answers. False: kPatience passed before.
bool LookUntil(const std::function<bool()>& is_so);

// Calls block, with a deadline.
class JobOperator {
 public:
  explicit JobOperator(const RunningServer& server);

  // Made and started.
  StatusOr<v1::Job> TryCreate(const JobText& job);
  void Create(const JobText& job) { Must(TryCreate(job)); }

  v1::Job Show(const std::string& job);
  v1::ShowRoundReply Round(const std::string& job, std::int64_t round = 0);
  std::vector<v1::Model> Models(const std::string& job);
  std::string DigestOf(const std::string& job, std::int64_t version);
  // A version's file of this group.
  Parameters Download(const std::string& job, std::int64_t version, const std::string& group = "");

  std::string Token(Role role, std::int64_t uses = 1);
  v1::Client Revoke(const std::string& client);
  bool IsWaiting(const std::string& client);
  bool AwaitWaiting(const std::string& client);

  // Looks each time that something happened in the job. False: it ended, or kPatience passed,
  // before it was so.
  bool Await(const std::string& job, const std::function<bool()>& is_so);
  bool AwaitVersion(const std::string& job, std::int64_t version);
  bool AwaitCompleted(const std::string& job);

  const Peer& peer() const { return peer_; }

 private:
  Peer peer_;
};

}  // namespace fed::testing

#endif  // FED_TESTS_INTEGRATION_JOB_OPERATOR_H_
