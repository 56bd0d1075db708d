// A device checks in: what it is told at once, and what it waits for.
#ifndef FED_SERVER_COORDINATE_CHECK_IN_H_
#define FED_SERVER_COORDINATE_CHECK_IN_H_

#include <memory>
#include <string>
#include <vector>

#include "fed/status.h"
#include "server/coordinate/client_book.h"
#include "server/coordinate/context.h"
#include "server/coordinate/held_poll.h"
#include "server/coordinate/job_list.h"

namespace fed::server {

// Thread-safe; blocks for a read of the store and for what a draw writes. Shared with the timers of
// the polls, which hold it weakly.
class CheckInDesk : public std::enable_shared_from_this<CheckInDesk> {
 public:
  CheckInDesk(std::shared_ptr<Context> context, JobList& jobs, ClientBook& book)
      : context_(std::move(context)), jobs_(jobs), book_(book) {}

  // In this order: revoked; the assignment that it has open; ends of receipts; a place in the pool
  // of each job that takes it; why there is none.
  void Take(const std::shared_ptr<HeldPoll>& poll);

  // The waiting devices that a job takes that has just begun to run.
  void Join(JobRunner& job);

 private:
  struct Known {  // by the store
    Labels labels;
    std::vector<wire::ReceiptEnd> ends;
    std::vector<JobId> with_open_receipt;
  };
  struct Choice {
    std::vector<std::shared_ptr<JobRunner>> waits_for;
    std::vector<JobId> queues;  // of these; fewer while a receipt is open
    bool all_ended = false;     // of the jobs that it named
    std::string text;           // why none takes it
  };

  StatusOr<Known> Look(const Device& device) const;
  std::vector<std::shared_ptr<JobRunner>> JobsOf(const Device& device) const;
  Choice Choose(const Device& device, const Known& known) const;
  void Hold(const std::shared_ptr<HeldPoll>& poll, Choice choice);
  void Expire(const std::shared_ptr<HeldPoll>& poll);
  bool AnswerAtOnce(HeldPoll& poll);

  const std::shared_ptr<Context> context_;
  JobList& jobs_;  // they live as long as it does: all are of one coordinator
  ClientBook& book_;
};

}  // namespace fed::server

#endif  // FED_SERVER_COORDINATE_CHECK_IN_H_
