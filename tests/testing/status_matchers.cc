// Printing of statuses.
#include "tests/testing/status_matchers.h"

#include <array>

namespace fed {

const char* StatusCodeName(StatusCode code) {
  constexpr std::array<const char*, 17> kNames = {"kOk",
                                                  "kCancelled",
                                                  "kUnknown",
                                                  "kInvalidArgument",
                                                  "kDeadlineExceeded",
                                                  "kNotFound",
                                                  "kAlreadyExists",
                                                  "kPermissionDenied",
                                                  "kResourceExhausted",
                                                  "kFailedPrecondition",
                                                  "kAborted",
                                                  "kOutOfRange",
                                                  "kUnimplemented",
                                                  "kInternal",
                                                  "kUnavailable",
                                                  "kDataLoss",
                                                  "kUnauthenticated"};
  const auto place = static_cast<std::size_t>(code);
  return place < kNames.size() ? kNames[place] : "not a code";
}

void PrintTo(StatusCode code, std::ostream* out) { *out << StatusCodeName(code); }

void PrintTo(const Status& status, std::ostream* out) {
  *out << StatusCodeName(status.code());
  if (!status.ok()) *out << " \"" << status.message() << '"';
}

}  // namespace fed
