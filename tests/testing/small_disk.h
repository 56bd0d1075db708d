// Files of this process can not grow beyond a size: what writes see of a full disk.
#ifndef FED_TESTS_TESTING_SMALL_DISK_H_
#define FED_TESTS_TESTING_SMALL_DISK_H_

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace fed::testing {

// While it lives a write past `bytes` of any file fails with EFBIG. Of the whole process, so that
// nothing else of the test may write meanwhile.
class SmallDisk {
 public:
  explicit SmallDisk(std::int64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(bytes);
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit before_ = {};
  void (*handler_)(int);
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_SMALL_DISK_H_
