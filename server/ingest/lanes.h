// One lane an assignment: its uploads' work runs in it, one task at a time.
#ifndef FED_SERVER_INGEST_LANES_H_
#define FED_SERVER_INGEST_LANES_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/crypto/digest.h"
#include "proto/wire/participation.h"
#include "server/ingest/update_reader.h"

namespace fed::server {

class UploadStream;

// Post is thread-safe; the fields belong to whichever task is running.
class Lane final : public std::enable_shared_from_this<Lane> {
 public:
  explicit Lane(Executor& executor) : executor_(executor) {}

  // Runs `task` on the executor once all tasks posted before it have run.
  void Post(std::function<void()> task);
  void DropTasks();  // those that have not begun

  // The one upload that may write the assignment's file.
  std::weak_ptr<UploadStream> writer;

  // What of the file is checked: kept between uploads, for as long as the process lives.
  struct Kept {
    Digest digest;
    UpdateProgress progress;
    std::int64_t end = 0;  // in the file, of the last checked tile
  };
  std::optional<Kept> kept;

  // A sync failed and the file could not be removed: what it reads back may not be on disk.
  bool distrusted = false;

 private:
  void RunOne();

  Executor& executor_;
  Mutex mu_;
  std::deque<std::function<void()>> tasks_ FED_GUARDED_BY(mu_);
  bool running_ FED_GUARDED_BY(mu_) = false;
};

// The lanes of all assignments that have an upload or a partial update. Thread-safe.
class Lanes {
 public:
  // Above `most_kept`, a lane without uploads is forgotten: a resume then hashes its tiles again.
  Lanes(Executor& executor, std::size_t most_kept) : executor_(executor), most_kept_(most_kept) {}

  // Each Enter of an assignment is followed by one Leave, when no task of that upload is left.
  std::shared_ptr<Lane> Enter(const wire::AssignmentRef& ref);
  void Leave(const wire::AssignmentRef& ref);

  // For an executor that has run its last task: tasks that wait hold their uploads for ever.
  void DropTasks();

 private:
  struct Place {
    std::shared_ptr<Lane> lane;  // shared with its uploads and with the executor's task
    int uploads = 0;
  };

  Executor& executor_;
  const std::size_t most_kept_;
  Mutex mu_;
  std::map<wire::AssignmentRef, Place> places_ FED_GUARDED_BY(mu_);
};

}  // namespace fed::server

#endif  // FED_SERVER_INGEST_LANES_H_
