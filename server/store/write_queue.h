// Writers that come while a commit is under way wait and share the next one.
#ifndef FED_SERVER_STORE_WRITE_QUEUE_H_
#define FED_SERVER_STORE_WRITE_QUEUE_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "common/base/mutex.h"
#include "fed/status.h"
#include "server/store/store.h"

namespace fed::server {

// One call of Store::Write, from its arrival to its answer.
struct PendingWrite {
  explicit PendingWrite(absl::FunctionRef<Status(StoreEdit&)> write) : body(write) {}

  absl::FunctionRef<Status(StoreEdit&)> body;
  Status status;
  bool done = false;
  CondVar changed;  // it is done, or its turn to lead has come
};

// Has no thread of its own: the oldest waiting writer leads, runs everybody's bodies on its thread
// and answers them. Thread-safe.
class WriteQueue {
 public:
  // Sets each write's status; one call at a time.
  using CommitTogether = std::function<void(absl::Span<PendingWrite* const> writes)>;

  // At most `most` writes share a commit.
  WriteQueue(CommitTogether commit, std::size_t most) : commit_(std::move(commit)), most_(most) {}

  // Blocks until the write has its status. Bodies take no lock that a caller of Run may hold.
  Status Run(absl::FunctionRef<Status(StoreEdit&)> body);

  std::size_t waiting() const;  // for the next commit

 private:
  std::vector<PendingWrite*> TakeBatch() FED_REQUIRES(mu_);

  const CommitTogether commit_;
  const std::size_t most_;
  mutable Mutex mu_;
  bool committing_ FED_GUARDED_BY(mu_) = false;
  std::deque<PendingWrite*> waiting_ FED_GUARDED_BY(mu_);  // each on the stack of its Run
};

}  // namespace fed::server

#endif  // FED_SERVER_STORE_WRITE_QUEUE_H_
