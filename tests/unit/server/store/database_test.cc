// A connection: its settings, values through it, its errors' codes.
#include "server/store/database.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>

#include "server/store/query.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"

namespace fed::server {
namespace {

using ::fed::testing::IsOkAndHolds;
using ::fed::testing::StatusIs;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DatabaseTest : public ::testing::Test {
 protected:
  std::unique_ptr<Database> Open(Durability durability = Durability::kFull) {
    StatusOr<std::unique_ptr<Database>> db = Database::Open(path_, durability);
    EXPECT_OK(db.status());
    return *std::move(db);
  }
  static std::string Pragma(Database& db, const std::string& name) {
    Query query(db, "PRAGMA " + name);
    EXPECT_THAT(query.Next(), IsOkAndHolds(true));
    std::string value;
    query.Get(value);
    return value;
  }

  testing::TempFolder folder_;
  const std::string path_ = folder_.File("fed.db");
};

TEST_F(DatabaseTest, DurabilityIsSqlitesSynchronousOverAWriteAheadLog) {
  {
    const auto db = Open(Durability::kFull);
    EXPECT_EQ(Pragma(*db, "synchronous"), "2");
    EXPECT_EQ(Pragma(*db, "journal_mode"), "wal");
    EXPECT_EQ(Pragma(*db, "foreign_keys"), "1");
    EXPECT_EQ(Pragma(*db, "busy_timeout"), "5000");
  }
  const auto db = Open(Durability::kNormal);
  EXPECT_EQ(Pragma(*db, "synchronous"), "1");
}

TEST_F(DatabaseTest, ItsFilesAreItsOwnersOnly) {
  const auto db = Open();
  ASSERT_OK(db->Execute("CREATE TABLE t (a) "));
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat found = {};
    ASSERT_EQ(::stat((path_ + suffix).c_str(), &found), 0) << suffix;
    EXPECT_EQ(found.st_mode & 0777u, 0600u) << suffix;
  }
}

TEST_F(DatabaseTest, EveryKindOfValueComesBack) {
  enum class Color { kRed = 3 };
  const auto db = Open();
  Query query(*db, "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, typeof(?6)");
  query.Bind(std::int64_t{-5}, 7, true, Color::kRed, 0.1, Blob{absl::string_view("\0b", 2)},
             ClientId{"c"}, absl::InfiniteFuture(), -absl::InfiniteDuration());
  ASSERT_THAT(query.Next(), IsOkAndHolds(true));

  std::int64_t wide = 0;
  int narrow = 0;
  bool truth = false;
  Color color{};
  double real = 0;
  std::string bytes, type;
  ClientId client;
  absl::Time time;
  absl::Duration duration;
  query.Get(wide, narrow, truth, color, real, bytes, client, time, duration, type);

  EXPECT_EQ(wide, -5);
  EXPECT_EQ(narrow, 7);
  EXPECT_TRUE(truth);
  EXPECT_EQ(color, Color::kRed);
  EXPECT_EQ(real, 0.1);
  EXPECT_EQ(bytes, std::string("\0b", 2));
  EXPECT_EQ(client.value, "c");
  EXPECT_EQ(time, absl::InfiniteFuture());
  EXPECT_EQ(duration, -absl::InfiniteDuration());
  EXPECT_EQ(type, "blob");
  EXPECT_THAT(query.Next(), IsOkAndHolds(false));
}

TEST_F(DatabaseTest, AnEmptyTextIsNotNull) {
  const auto db = Open();
  Query query(*db, "SELECT ?1 IS NULL, ?2 IS NULL");
  ASSERT_THAT(query.Bind(absl::string_view(), Blob{}).Next(), IsOkAndHolds(true));
  bool text_is_null = true, blob_is_null = true;
  query.Get(text_is_null, blob_is_null);
  EXPECT_FALSE(text_is_null);
  EXPECT_FALSE(blob_is_null);
}

TEST_F(DatabaseTest, AStatementRunsAgainWithNewValues) {
  const auto db = Open();
  ASSERT_OK(db->Execute("CREATE TABLE t (a TEXT NOT NULL) STRICT"));
  for (const char* text : {"x", "y"}) {
    Query query(*db, "INSERT INTO t VALUES (?1)");
    ASSERT_OK(query.Bind(absl::string_view(text)).Run());
  }
  {
    Query unbound(*db, "INSERT INTO t VALUES (?1)");  // values do not stay
    EXPECT_THAT(unbound.Run(), StatusIs(StatusCode::kInternal, HasSubstr("NOT NULL")));
  }
  Query query(*db, "SELECT a FROM t ORDER BY a");
  const auto read = +[](const Query& row) {
    std::string a;
    row.Get(a);
    return a;
  };
  EXPECT_THAT(AllRows(query, read), IsOkAndHolds(ElementsAre("x", "y")));
}

TEST_F(DatabaseTest, AStatementThatCanNotBeMadeSaysSoWhenItRuns) {
  const auto db = Open();
  Query query(*db, "SELECT a FROM nowhere WHERE b = ?1");
  query.Bind(1);
  EXPECT_THAT(query.Next(), StatusIs(StatusCode::kInternal,
                                     AllOf(HasSubstr("no such table"), StartsWith(path_))));
}

TEST_F(DatabaseTest, RemembersItsFirstFailureUntilItIsTaken) {
  const auto db = Open();
  EXPECT_OK(db->TakeFailure());
  EXPECT_THAT(db->Execute("first"), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(db->Execute("second"), StatusIs(StatusCode::kInternal));
  EXPECT_THAT(db->TakeFailure(), StatusIs(StatusCode::kInternal, HasSubstr("first")));
  EXPECT_OK(db->TakeFailure());
}

TEST_F(DatabaseTest, AFullDatabaseIsResourceExhausted) {
  const auto db = Open();
  ASSERT_OK(db->Execute("CREATE TABLE t (a); PRAGMA max_page_count = 3"));
  EXPECT_THAT(db->Execute("INSERT INTO t VALUES (zeroblob(100000))"),
              StatusIs(StatusCode::kResourceExhausted, HasSubstr("full")));
}

TEST_F(DatabaseTest, ForeignKeysHold) {
  const auto db = Open();
  ASSERT_OK(db->Execute("CREATE TABLE p (a PRIMARY KEY); CREATE TABLE c (a REFERENCES p)"));
  EXPECT_THAT(db->Execute("INSERT INTO c VALUES (1)"),
              StatusIs(StatusCode::kInternal, HasSubstr("FOREIGN KEY")));
}

TEST_F(DatabaseTest, WhatIsNoDatabaseOrNotThereIsRefused) {
  std::ofstream(path_) << std::string(4'096, 'x');
  EXPECT_THAT(Database::Open(path_, Durability::kFull),
              StatusIs(StatusCode::kDataLoss, HasSubstr("not a database")));
  EXPECT_THAT(Database::OpenReadOnly(folder_.File("none")),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("unable to open")));
  EXPECT_THAT(Database::Open(folder_.File("none/fed.db"), Durability::kFull),
              StatusIs(StatusCode::kNotFound));
}

TEST_F(DatabaseTest, AReaderWritesNothing) {
  const auto writer = Open();
  ASSERT_OK(writer->Execute("CREATE TABLE t (a)"));
  ASSERT_OK_AND_ASSIGN(const auto reader, Database::OpenReadOnly(path_));
  EXPECT_THAT(reader->Execute("INSERT INTO t VALUES (1)"),
              StatusIs(StatusCode::kFailedPrecondition, HasSubstr("readonly")));
}

}  // namespace
}  // namespace fed::server
