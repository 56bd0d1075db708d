// Every code has a verdict.
#include "client_sdk/session/retry.h"

#include <gtest/gtest.h>

#include <set>

namespace fed::client {
namespace {

constexpr int kLastCode = static_cast<int>(StatusCode::kUnauthenticated);

TEST(RetryTest, TheSameCallIsRepeatedOnlyForWhatPasses) {
  const std::set<StatusCode> passes = {StatusCode::kUnavailable, StatusCode::kDeadlineExceeded,
                                       StatusCode::kResourceExhausted, StatusCode::kUnknown,
                                       StatusCode::kCancelled};
  for (int code = 0; code <= kLastCode; ++code) {
    const Status status(static_cast<StatusCode>(code), "");
    EXPECT_EQ(VerdictOf(status) == Verdict::kRepeat, passes.count(status.code()) == 1) << code;
  }
}

TEST(RetryTest, WithinAnAssignmentOnlyWhoTheCallerIsEndsTheRun) {
  const std::set<StatusCode> ends = {StatusCode::kUnauthenticated, StatusCode::kPermissionDenied};
  for (int code = 0; code <= kLastCode; ++code) {
    const Status status(static_cast<StatusCode>(code), "");
    EXPECT_EQ(VerdictOf(status) == Verdict::kGiveUp, ends.count(status.code()) == 1) << code;
  }
}

TEST(RetryTest, ACheckInAlsoEndsTheRunWhenItCanNeverSucceed) {
  const std::set<StatusCode> ends = {StatusCode::kUnauthenticated, StatusCode::kPermissionDenied,
                                     StatusCode::kInvalidArgument, StatusCode::kFailedPrecondition,
                                     StatusCode::kUnimplemented};
  for (int code = 0; code <= kLastCode; ++code) {
    const Status status(static_cast<StatusCode>(code), "");
    EXPECT_EQ(VerdictOfCheckIn(status) == Verdict::kGiveUp, ends.count(status.code()) == 1) << code;
  }
}

}  // namespace
}  // namespace fed::client
