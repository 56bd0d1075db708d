// A coordinator that runs nothing: it says of jobs and devices what a test has told it.
#ifndef FED_TESTS_UNIT_SERVER_RPC_FAKE_COORDINATOR_H_
#define FED_TESTS_UNIT_SERVER_RPC_FAKE_COORDINATOR_H_

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/coordinate/coordinator.h"

namespace fed::server {

class FakeCoordinator final : public Coordinator {
 public:
  std::map<JobId, LiveJob> jobs;
  std::map<std::pair<JobId, RoundId>, std::vector<LiveParticipant>> participants;
  std::set<ClientId> waiting;

  StatusOr<LiveJob> Live(const JobId& job) const override {
    const auto found = jobs.find(job);
    if (found != jobs.end()) return found->second;
    return Status(StatusCode::kNotFound, "no job '" + job.value + "'");
  }
  std::vector<LiveParticipant> LiveParticipants(const JobId& job, RoundId round) const override {
    const auto found = participants.find({job, round});
    return found != participants.end() ? found->second : std::vector<LiveParticipant>();
  }
  bool IsWaiting(const ClientId& client) const override { return waiting.contains(client); }

  std::unique_ptr<Poll> CheckIn(const Caller&, wire::CheckInRequest,
                                std::function<void(StatusOr<wire::CheckInReply>)>) override {
    return nullptr;
  }
  void Renew(const Caller&, wire::RenewRequest,
             std::function<void(StatusOr<wire::RenewReply>)>) override {}
  void ReportEvaluation(const Caller&, wire::EvaluationReport,
                        std::function<void(StatusOr<wire::EvaluationReply>)>) override {}
  void CountDownload(const JobId&, std::int64_t) override {}
  StatusOr<JobRecord> CreateJob(JobDraft) override { return NotHere(); }
  StatusOr<JobRecord> StartJob(const JobId&) override { return NotHere(); }
  StatusOr<JobRecord> PauseJob(const JobId&, const std::string&) override { return NotHere(); }
  StatusOr<JobRecord> ResumeJob(const JobId&) override { return NotHere(); }
  StatusOr<JobRecord> StopJob(const JobId&, const std::string&) override { return NotHere(); }
  std::unique_ptr<Watch> WatchJob(const JobId&, std::function<void(const Change&)>) override {
    return nullptr;
  }
  void Drain(std::function<void()>) override {}
  StatusOr<UpdateTerms> Expects(const Caller&, const wire::AssignmentRef&) override {
    return NotHere();
  }
  void Accepted(const Receipt&) override {}
  void Rejected(const Caller&, const wire::AssignmentRef&, const std::string&) override {}
  void OutcomeUnknown(const Status&) override {}

 private:
  static Status NotHere() { return Status(StatusCode::kUnimplemented, "not in this test"); }
};

}  // namespace fed::server

#endif  // FED_TESTS_UNIT_SERVER_RPC_FAKE_COORDINATOR_H_
