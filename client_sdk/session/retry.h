// What to do about a call that failed.
#ifndef FED_CLIENT_SDK_SESSION_RETRY_H_
#define FED_CLIENT_SDK_SESSION_RETRY_H_

#include "fed/status.h"

namespace fed::client {

enum class Verdict {
  kRepeat,      // the same call after a pause
  kBeginAgain,  // this attempt is over: a new check-in, after a pause
  kGiveUp,      // nothing more can succeed until someone acts: Run ends with it
};

// Of a call within an assignment: what is wrong with it need not be wrong with the next one.
Verdict VerdictOf(const Status& status);

// Of enrollment and check-in: what makes these impossible makes everything impossible.
Verdict VerdictOfCheckIn(const Status& status);

}  // namespace fed::client

#endif  // FED_CLIENT_SDK_SESSION_RETRY_H_
