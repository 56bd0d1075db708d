// Schema versions: forward only, a step at a time, all or nothing.
#include "server/store/migrations.h"

#include <gmock/gmock.h>

#include "server/store/query.h"
#include "server/store/sqlite_store.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* kSteps[] = {"CREATE TABLE a (x INTEGER)", "ALTER TABLE a ADD COLUMN y TEXT",
                                  "CREATE TABLE b (x); INSERT INTO b SELECT x FROM a"};

class MigrationsTest : public ::testing::Test {
 protected:
  void SetUp() override { db_ = Open(folder_.File("fed.db")); }

  static std::unique_ptr<Database> Open(const std::string& path) {
    StatusOr<std::unique_ptr<Database>> db = Database::Open(path, Durability::kNormal);
    EXPECT_OK(db.status());
    return *std::move(db);
  }
  static std::int64_t Number(Database& db, const char* sql) {
    Query query(db, sql);
    EXPECT_THAT(query.Next(), IsOkAndHolds(true));
    std::int64_t number = -1;
    query.Get(number);
    return number;
  }
  // What the schema is made of, in words.
  static std::string Schema(Database& db) {
    Query query(db,
                "SELECT group_concat(sql, ';') FROM (SELECT sql FROM sqlite_schema ORDER BY 1)");
    EXPECT_THAT(query.Next(), IsOkAndHolds(true));
    std::string schema;
    query.Get(schema);
    return schema;
  }

  testing::TempFolder folder_;
  std::unique_ptr<Database> db_;
};

TEST_F(MigrationsTest, EveryEarlierVersionIsBroughtToTheLast) {
  for (std::size_t earlier = 0; earlier <= 3; ++earlier) {
    const auto db = Open(folder_.File("from" + std::to_string(earlier)));
    ASSERT_OK(Migrate(*db, absl::MakeSpan(kSteps).first(earlier)));
    EXPECT_EQ(Number(*db, "PRAGMA user_version"), static_cast<std::int64_t>(earlier));
    if (earlier > 0) {
      ASSERT_OK(db->Execute("INSERT INTO a (x) VALUES (7)"));
    }

    ASSERT_OK(Migrate(*db, kSteps));

    EXPECT_EQ(Number(*db, "PRAGMA user_version"), 3);
    const std::int64_t rows = earlier == 0 ? 0 : 1;
    EXPECT_EQ(Number(*db, "SELECT count(*) FROM a WHERE y IS NULL"), rows);
    EXPECT_EQ(Number(*db, "SELECT count(*) FROM b"), earlier == 3 ? 0 : rows);
  }
}

TEST_F(MigrationsTest, TheStoresOwnStepsLeadFromEveryVersionToOneSchema) {
  const absl::Span<const char* const> steps = SchemaMigrations();
  ASSERT_OK(Migrate(*db_, steps));
  for (std::size_t earlier = 0; earlier < steps.size(); ++earlier) {
    const auto db = Open(folder_.File("from" + std::to_string(earlier)));
    ASSERT_OK(Migrate(*db, steps.first(earlier)));
    ASSERT_OK(Migrate(*db, steps));
    EXPECT_EQ(Schema(*db), Schema(*db_));
  }
}

TEST_F(MigrationsTest, EveryTableIsStrict) {
  ASSERT_OK(Migrate(*db_, SchemaMigrations()));
  EXPECT_EQ(Number(*db_,
                   "SELECT count(*) FROM pragma_table_list "
                   "WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0"),
            0);
  EXPECT_GT(Number(*db_, "SELECT count(*) FROM pragma_table_list WHERE strict = 1"), 10);
}

TEST_F(MigrationsTest, ANewerSchemaIsRefusedAndLeftAsItIs) {
  ASSERT_OK(Migrate(*db_, kSteps));

  EXPECT_THAT(Migrate(*db_, absl::MakeSpan(kSteps).first(2)),
              StatusIs(StatusCode::kFailedPrecondition,
                       AllOf(HasSubstr("has schema version 3, this program knows none above 2"),
                             HasSubstr(folder_.File("fed.db")))));
  EXPECT_EQ(Number(*db_, "PRAGMA user_version"), 3);
}

TEST_F(MigrationsTest, TheStoreRefusesANewerFile) {
  ASSERT_OK(db_->Execute("PRAGMA user_version = 1000"));
  SqliteStoreOptions options;
  options.path = folder_.File("fed.db");
  EXPECT_THAT(OpenSqliteStore(options),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("schema version 1000")));
}

TEST_F(MigrationsTest, AStepThatFailsLeavesTheVersionBeforeIt) {
  const char* const steps[] = {kSteps[0], "CREATE TABLE c (x); SELECT x FROM nowhere"};
  EXPECT_THAT(Migrate(*db_, steps),
              StatusIs(StatusCode::kInternal, AllOf(HasSubstr("migration to schema version 2"),
                                                    HasSubstr("no such table: nowhere"))));
  EXPECT_EQ(Number(*db_, "PRAGMA user_version"), 1);
  EXPECT_EQ(Number(*db_, "SELECT count(*) FROM sqlite_schema WHERE name = 'c'"), 0);
  EXPECT_FALSE(db_->in_transaction());

  EXPECT_OK(Migrate(*db_, kSteps));  // and it goes on from there
}

}  // namespace
}  // namespace fed::server
