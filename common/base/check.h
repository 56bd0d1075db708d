// Assertions of our own invariants: never of what comes from outside.
#ifndef FED_COMMON_BASE_CHECK_H_
#define FED_COMMON_BASE_CHECK_H_

namespace fed {

[[noreturn]] void CheckFailed(const char* file, int line, const char* condition);

}  // namespace fed

// Ends the process with file, line and condition if it does not hold.
#define FED_CHECK(condition)                                              \
  do {                                                                    \
    if (!(condition)) ::fed::CheckFailed(__FILE__, __LINE__, #condition); \
  } while (false)

// The same in debug builds; compiled but never evaluated in release.
#ifdef NDEBUG
#define FED_DCHECK(condition)           \
  do {                                  \
    if (false && !(condition)) (void)0; \
  } while (false)
#else
#define FED_DCHECK(condition) FED_CHECK(condition)
#endif

#endif  // FED_COMMON_BASE_CHECK_H_
