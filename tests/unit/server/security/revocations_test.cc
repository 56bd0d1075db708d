// Revocations: on disk first, in memory then, and told once.
#include "server/security/revocations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "tests/testing/memory_store.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;

class RevocationsTest : public ::testing::Test {
 protected:
  RevocationsTest() {
    for (const char* id : {"a", "b"}) {
      ClientRecord client;
      client.id = {id};
      EXPECT_OK(store_.Write([&](StoreEdit& edit) { return edit.PutClient(client); }));
    }
  }

  bool StoredAsRevoked(const ClientId& id) {
    bool revoked = false;
    EXPECT_OK(store_.Read([&](const StoreView& view) -> Status {
      FED_ASSIGN_OR_RETURN(const ClientRecord client, view.Client(id));
      revoked = client.revoked;
      return Status();
    }));
    return revoked;
  }

  MemoryStore store_;
};

TEST_F(RevocationsTest, TakeEffectAtOnceAndAreStored) {
  ASSERT_OK_AND_ASSIGN(const auto revocations, Revocations::Load(store_));
  ASSERT_FALSE(revocations->IsRevoked({"a"}));

  ASSERT_OK(revocations->Revoke({"a"}));

  EXPECT_TRUE(revocations->IsRevoked({"a"}));
  EXPECT_FALSE(revocations->IsRevoked({"b"}));
  EXPECT_TRUE(StoredAsRevoked({"a"}));
}

TEST_F(RevocationsTest, AreStillThereAfterALoad) {
  ASSERT_OK((*Revocations::Load(store_))->Revoke({"a"}));

  ASSERT_OK_AND_ASSIGN(const auto again, Revocations::Load(store_));

  EXPECT_TRUE(again->IsRevoked({"a"}));
  EXPECT_FALSE(again->IsRevoked({"b"}));
}

TEST_F(RevocationsTest, OfAStrangerAreRefused) {
  ASSERT_OK_AND_ASSIGN(const auto revocations, Revocations::Load(store_));

  EXPECT_THAT(revocations->Revoke({"nobody"}), StatusIs(StatusCode::kNotFound));
  EXPECT_FALSE(revocations->IsRevoked({"nobody"}));
}

TEST_F(RevocationsTest, ThatCouldNotBeStoredAreNotTold) {
  ASSERT_OK_AND_ASSIGN(const auto revocations, Revocations::Load(store_));
  std::vector<std::string> told;
  revocations->OnRevoked([&](const ClientId& id) { told.push_back(id.value); });
  store_.FailWrites(Status(StatusCode::kResourceExhausted, "disk full"));

  EXPECT_THAT(revocations->Revoke({"a"}), StatusIs(StatusCode::kResourceExhausted));

  EXPECT_FALSE(revocations->IsRevoked({"a"}));
  EXPECT_THAT(told, ElementsAre());
}

TEST_F(RevocationsTest, AreToldOnceToEachListenerWhichMayCallBack) {
  ASSERT_OK_AND_ASSIGN(const auto revocations, Revocations::Load(store_));
  std::vector<std::string> first, second;
  revocations->OnRevoked([&](const ClientId& id) {
    first.push_back(id.value);
    EXPECT_TRUE(revocations->IsRevoked(id));
  });
  revocations->OnRevoked([&](const ClientId& id) { second.push_back(id.value); });

  ASSERT_OK(revocations->Revoke({"b"}));
  ASSERT_OK(revocations->Revoke({"b"}));

  EXPECT_THAT(first, ElementsAre("b"));
  EXPECT_THAT(second, ElementsAre("b"));
}

TEST_F(RevocationsTest, ByManyThreadsAreToldOnceWhileOthersAsk) {
  ASSERT_OK_AND_ASSIGN(const auto revocations, Revocations::Load(store_));
  std::atomic<int> told = 0;
  revocations->OnRevoked([&](const ClientId&) { ++told; });

  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { EXPECT_OK(revocations->Revoke({"a"})); });
    threads.emplace_back([&] {
      while (!revocations->IsRevoked({"a"})) std::this_thread::yield();
    });
  }
  for (std::thread& thread : threads) thread.join();

  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace fed::server
