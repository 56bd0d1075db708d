// A server's heart in a world of fakes: disk, store, clock and executors are in the test's hands,
// and so are the devices.
#ifndef FED_TESTS_UNIT_SERVER_COORDINATE_COORDINATOR_WORLD_H_
#define FED_TESTS_UNIT_SERVER_COORDINATE_COORDINATOR_WORLD_H_

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/coordinate/coordinator.h"
#include "server/ingest/intake.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/update_builder.h"

namespace fed::server {

// job.toml of a tiny model; `rounds` and `more` are TOML lines of [rounds] and of further sections.
std::string JobText(const std::string& id, const std::string& rounds,
                    const std::string& more = "[evaluation]\nevery = 0\n");
extern const char* const kTinyPlan;  // 15 values

// Of an able device.
wire::CheckInRequest MakeRequest(absl::Duration hold = absl::Seconds(60));

// One check-in as its rpc would hold it.
struct CheckInCall {
  std::shared_ptr<std::optional<StatusOr<wire::CheckInReply>>> reply =
      std::make_shared<std::optional<StatusOr<wire::CheckInReply>>>();
  std::unique_ptr<Coordinator::Poll> poll;

  bool answered() const { return reply->has_value(); }
  Status status() const;
  const wire::Assignment* work() const;     // null: none
  const wire::ComeBack* come_back() const;  // null: none
  std::vector<wire::ReceiptEnd> ends() const;
};

class CoordinatorWorld {
 public:
  CoordinatorWorld();
  ~CoordinatorWorld() { Kill(); }

  // The process dies and another starts over the same store and disk.
  void Kill();
  void Start();
  void Restart() {
    Kill();
    Start();
  }

  // Runs what is due on both executors.
  void Crank();
  void Advance(absl::Duration by);  // in steps of a second, cranking

  JobRecord Create(const std::string& text, bool start = true);

  static Caller CallerOf(const std::string& name, Role role = Role::kClient) {
    return {ClientId{name}, role};
  }
  CheckInCall CheckIn(const std::string& name, Role role = Role::kClient,
                      wire::CheckInRequest request = MakeRequest());

  // The update that this device makes of this assignment: depends on its name and the base only.
  testing::EncodedUpdate UpdateOf(const std::string& name, const wire::Assignment& work) const;
  // Sends it whole; the last reply.
  StatusOr<wire::UploadReply> Upload(const std::string& name, const wire::Assignment& work);
  StatusOr<wire::UploadReply> Send(const std::string& name, const wire::AssignmentRef& ref,
                                   const testing::EncodedUpdate& update);
  StatusOr<wire::RenewReply> Renew(const std::string& name, const wire::AssignmentRef& ref);
  StatusOr<wire::EvaluationReply> Report(const std::string& name, const wire::AssignmentRef& ref,
                                         double accuracy);

  // All of these check in, are drawn and upload, until the job has published this many rounds.
  void RunRounds(const std::string& job, const std::vector<std::string>& names,
                 std::int64_t published);

  // What the store says.
  JobRecord Job(const std::string& job) const;
  RoundRecord Round(const std::string& job, std::int64_t round) const;
  std::vector<RoundRecord> Rounds(const std::string& job) const;  // newest first
  std::vector<AssignmentRecord> Assignments(const std::string& job, std::int64_t round) const;
  AssignmentRecord Assignment(const wire::AssignmentRef& ref) const;
  std::vector<Receipt> Receipts(const std::string& job, std::int64_t round) const;
  std::vector<ModelRecord> Models(const std::string& job) const;
  ModelRecord Latest(const std::string& job) const;
  std::string LatestDigest(const std::string& job) const {
    return Latest(job).files.at("model").digest;
  }
  ClientRecord Client(const std::string& name) const;
  Scalars Metrics(const std::string& job, std::int64_t round) const;

  // DESIGN, 6: whatever happened so far.
  void ExpectInvariants(const std::string& job) const;

  Coordinator& coordinator() { return *coordinator_; }
  Revocations& revocations() { return *revocations_; }
  BlobFolder& blobs() { return *blobs_; }
  Spool& spool() { return *spool_; }

  testing::ManualClock clock;
  testing::FakeFiles files;
  MemoryStore store;
  std::vector<std::string> log_lines;
  std::vector<Status> deaths;
  std::unique_ptr<testing::ManualExecutor> executor, fold;

 private:
  Log log_{[this](LogLevel, absl::string_view line) { log_lines.emplace_back(line); }};
  std::unique_ptr<BlobFolder> blobs_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Revocations> revocations_;
  std::unique_ptr<Coordinator> coordinator_;
  std::unique_ptr<Intake> intake_;
};

}  // namespace fed::server

#endif  // FED_TESTS_UNIT_SERVER_COORDINATE_COORDINATOR_WORLD_H_
