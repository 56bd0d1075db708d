// Matchers and assertions over fed::Status and fed::StatusOr.
//
//   EXPECT_THAT(file->Sync(), IsOk());
//   EXPECT_THAT(store.Find(id), StatusIs(StatusCode::kNotFound, HasSubstr("job a")));
//   EXPECT_THAT(reader.size(), IsOkAndHolds(12));
//   ASSERT_OK(store.Begin());
//   ASSERT_OK_AND_ASSIGN(const auto file, files.Open(path, FileSystem::Mode::kRead));
#ifndef FED_TESTS_TESTING_STATUS_MATCHERS_H_
#define FED_TESTS_TESTING_STATUS_MATCHERS_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>

#include "fed/status.h"

namespace fed {

const char* StatusCodeName(StatusCode code);  // "kNotFound"

// How GoogleTest prints them.
void PrintTo(StatusCode code, std::ostream* out);
void PrintTo(const Status& status, std::ostream* out);
template <typename T>
void PrintTo(const StatusOr<T>& result, std::ostream* out) {
  if (result.ok()) {
    *out << "OK, " << ::testing::PrintToString(*result);
  } else {
    PrintTo(result.status(), out);
  }
}

}  // namespace fed

namespace fed::testing {

inline const Status& StatusOf(const Status& status) { return status; }
template <typename T>
const Status& StatusOf(const StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is not OK" : "is OK") { return StatusOf(arg).ok(); }

MATCHER_P2(StatusIs, code, message,
           "has code " + ::testing::PrintToString(StatusCode{code}) + " and a message that " +
               ::testing::DescribeMatcher<std::string>(message, negation)) {
  return StatusOf(arg).code() == code &&
         ::testing::ExplainMatchResult(message, StatusOf(arg).message(), result_listener);
}

inline auto StatusIs(StatusCode code) { return StatusIs(code, ::testing::A<std::string>()); }

MATCHER_P(IsOkAndHolds, value, "is OK and holds what was expected") {
  return arg.ok() && ::testing::ExplainMatchResult(value, *arg, result_listener);
}

}  // namespace fed::testing

#define ASSERT_OK(expr) ASSERT_THAT((expr), ::fed::testing::IsOk())
#define EXPECT_OK(expr) EXPECT_THAT((expr), ::fed::testing::IsOk())

#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ASSERT_OK_AND_ASSIGN_IMPL_(FED_CONCAT_(fed_or_, __LINE__), lhs, expr)
#define ASSERT_OK_AND_ASSIGN_IMPL_(tmp, lhs, expr)                 \
  auto tmp = (expr);                                               \
  ASSERT_TRUE(tmp.ok()) << ::testing::PrintToString(tmp.status()); \
  lhs = *std::move(tmp)

#endif  // FED_TESTS_TESTING_STATUS_MATCHERS_H_
