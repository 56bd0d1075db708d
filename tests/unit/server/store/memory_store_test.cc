// What only the store in memory does: fail on demand.
#include "tests/testing/memory_store.h"

#include <gmock/gmock.h>

#include "tests/testing/records.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;

class MemoryStoreTest : public ::testing::Test {
 protected:
  Status PutJob() {
    return store_.Write([](StoreEdit& edit) { return edit.PutJob(TestJob("a")); });
  }
  Status FindJob() {
    return store_.Read([](const StoreView& view) { return view.Job({"a"}).status(); });
  }

  MemoryStore store_;
};

TEST_F(MemoryStoreTest, FailedWritesLeaveNothingUntilTheyAreToldNotToFail) {
  store_.FailWrites(Status(StatusCode::kResourceExhausted, "disk full"));
  EXPECT_THAT(PutJob(), StatusIs(StatusCode::kResourceExhausted, "disk full"));
  EXPECT_THAT(FindJob(), StatusIs(StatusCode::kNotFound));

  store_.FailWrites(Status());
  EXPECT_OK(PutJob());
  EXPECT_OK(FindJob());
}

TEST_F(MemoryStoreTest, AnUnknownCommitHasHappened) {
  store_.FailWrites(Status(StatusCode::kUnknown, "who knows"));
  EXPECT_THAT(PutJob(), StatusIs(StatusCode::kUnknown, "who knows"));
  EXPECT_OK(FindJob());
}

}  // namespace
}  // namespace fed::server
