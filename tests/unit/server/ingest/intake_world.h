// An intake in a world of fakes: disk, store, gate, clock and executor are in the test's hands.
#ifndef FED_TESTS_UNIT_SERVER_INGEST_INTAKE_WORLD_H_
#define FED_TESTS_UNIT_SERVER_INGEST_INTAKE_WORLD_H_

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "server/ingest/intake.h"
#include "tests/testing/fake_files.h"
#include "tests/testing/manual_clock.h"
#include "tests/testing/manual_executor.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/update_builder.h"

namespace fed::server {

// What `contents` is a good update of.
UpdateTerms TermsOf(const testing::UpdateContents& contents);
wire::UploadBegin BeginOf(const testing::EncodedUpdate& update, AssignmentId assignment = {1},
                          const std::string& job = "job-a");

// A gate that knows the assignments it was told of. Thread-safe.
class FakeGate final : public RoundGate {
 public:
  void Expect(const Caller& caller, AssignmentId assignment, UpdateTerms terms);
  void Answer(Status status);  // instead of any terms, from now on; OK: no longer

  StatusOr<UpdateTerms> Expects(const Caller& caller, const wire::AssignmentRef& ref) override;
  void Accepted(const Receipt& receipt) override;
  void Rejected(const Caller& caller, const wire::AssignmentRef& ref,
                const std::string& reason) override;
  void OutcomeUnknown(const Status& status) override;

  std::vector<Receipt> accepted() const;
  std::map<AssignmentId, std::string> rejected() const;
  int unknown() const;

 private:
  struct Known {
    ClientId client;
    UpdateTerms terms;
  };
  mutable Mutex mu_;
  std::map<AssignmentId, Known> known_ FED_GUARDED_BY(mu_);
  Status answer_ FED_GUARDED_BY(mu_);
  std::vector<Receipt> accepted_ FED_GUARDED_BY(mu_);
  std::map<AssignmentId, std::string> rejected_ FED_GUARDED_BY(mu_);
  int unknown_ FED_GUARDED_BY(mu_) = 0;
};

// One stream as its rpc would drive it.
class Stream {
 public:
  const std::vector<StatusOr<wire::UploadReply>>& replies() const { return *replies_; }
  std::int64_t offset() const;  // that was proceeded from; -1: it was not
  bool has_receipt() const;
  std::string refusal() const;  // empty: none
  Status error() const;         // OK: none
  const wire::ComeBack* come_back() const;

  // Sends bytes [from, to) of the update in pieces.
  void Send(const testing::EncodedUpdate& update, std::int64_t from, std::int64_t to,
            std::int64_t piece = 40'000);
  Upload& upload() { return *upload_; }
  void Drop() { upload_.reset(); }  // as an rpc that is gone
  int consumed() const { return *consumed_; }

 private:
  friend class IntakeWorld;
  template <typename Kind>
  const Kind* Find() const;

  std::shared_ptr<std::vector<StatusOr<wire::UploadReply>>> replies_ =
      std::make_shared<std::vector<StatusOr<wire::UploadReply>>>();
  std::shared_ptr<int> consumed_ = std::make_shared<int>(0);
  std::shared_ptr<Upload> upload_;
};

class IntakeWorld {
 public:
  explicit IntakeWorld(IntakeOptions options = {});
  ~IntakeWorld();

  // Round 1 of job-a is open and has this assignment, of this client.
  void Assign(const std::string& client, AssignmentId assignment, const UpdateTerms& terms);
  void CloseRound(RoundState state = RoundState::kClosing);

  Stream Begin(const std::string& client, const wire::UploadBegin& begin);  // runs until idle
  void Run() { executor_->RunUntilIdle(); }
  // Begins, and sends all from the offset that it was told.
  Stream Upload(const std::string& client, const testing::EncodedUpdate& update,
                AssignmentId assignment = {1});

  void Restart();    // the process alone
  void CutPower();   // and what was not synced is gone
  void TearPower();  // the same, with half of the last write

  // The receipt, if the store has one.
  StatusOr<Receipt> ReceiptOf(AssignmentId assignment) const;
  // What the spool holds for it; empty: nothing.
  std::string SpooledBytes(const Receipt& receipt) const;

  testing::FakeFiles files;
  testing::ManualClock clock;
  MemoryStore store;
  FakeGate gate;
  Spool& spool() { return *spool_; }
  Intake& intake() { return *intake_; }

 private:
  void Start();
  void Stop();

  IntakeOptions options_;
  std::unique_ptr<testing::ManualExecutor> executor_;
  std::unique_ptr<Spool> spool_;
  std::unique_ptr<Intake> intake_;
};

}  // namespace fed::server

#endif  // FED_TESTS_UNIT_SERVER_INGEST_INTAKE_WORLD_H_
