// A table over the codes, whose meanings are in fed/status.h.
#include "client_sdk/session/retry.h"

namespace fed::client {

Verdict VerdictOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
    case StatusCode::kResourceExhausted:
    case StatusCode::kUnknown:    // it may have happened: every call may be repeated
    case StatusCode::kCancelled:  // by the server: we do not look at calls that we cancel
      return Verdict::kRepeat;
    case StatusCode::kUnauthenticated:
    case StatusCode::kPermissionDenied:
      return Verdict::kGiveUp;
    default:  // OK too: the next step begins
      return Verdict::kBeginAgain;
  }
}

Verdict VerdictOfCheckIn(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
    case StatusCode::kFailedPrecondition:
    case StatusCode::kUnimplemented:
      return Verdict::kGiveUp;
    default:
      return VerdictOf(status);
  }
}

}  // namespace fed::client
