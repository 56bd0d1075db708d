// The stores that the conformance suite runs over.
#include "server/store/sqlite_store.h"
#include "tests/testing/memory_store.h"
#include "tests/testing/store_conformance.h"

namespace fed::server {
namespace {

std::unique_ptr<Store> OpenSqlite(const std::string& folder, Durability durability) {
  SqliteStoreOptions options;
  options.path = folder + "/fed.db";
  options.durability = durability;
  StatusOr<std::unique_ptr<Store>> store = OpenSqliteStore(options);
  EXPECT_OK(store.status());
  return *std::move(store);
}

const StoreKind kKinds[] = {
    {"Memory", [](const std::string&) { return std::make_unique<MemoryStore>(); }},
    {"SqliteFull", [](const std::string& folder) { return OpenSqlite(folder, Durability::kFull); }},
    {"SqliteNormal",
     [](const std::string& folder) { return OpenSqlite(folder, Durability::kNormal); }},
};

std::string NameOf(const ::testing::TestParamInfo<StoreKind>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(All, StoreConformance, ::testing::ValuesIn(kKinds), NameOf);
INSTANTIATE_TEST_SUITE_P(All, ReceiptConformance, ::testing::ValuesIn(kKinds), NameOf);

}  // namespace
}  // namespace fed::server
