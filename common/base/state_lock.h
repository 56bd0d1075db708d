// One process a state folder.
#ifndef FED_COMMON_BASE_STATE_LOCK_H_
#define FED_COMMON_BASE_STATE_LOCK_H_

#include <memory>
#include <string>

#include "fed/status.h"

namespace fed {

// Held as long as it lives; the kernel lets go of it when the process dies, whatever its end.
class StateLock {
 public:
  // Makes the folder if it is missing. kFailedPrecondition, with the pid of the other, if it is
  // taken: by another process, or once more by this one.
  static StatusOr<std::unique_ptr<StateLock>> Take(const std::string& folder);

  ~StateLock();
  StateLock(const StateLock&) = delete;
  StateLock& operator=(const StateLock&) = delete;

 private:
  explicit StateLock(int descriptor) : descriptor_(descriptor) {}

  const int descriptor_;
};

}  // namespace fed

#endif  // FED_COMMON_BASE_STATE_LOCK_H_
