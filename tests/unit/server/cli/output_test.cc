// Tables, cells and JSON.
#include "server/cli/output.h"

#include <string>

#include "fed/v1/admin.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::server {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

std::string Age(absl::Duration age) { return AgeCell(absl::ToUnixMillis(kNow - age), kNow); }

TEST(TableTest, MakesColumnsAsWideAsTheirWidestCell) {
  Table table({"ID", ">COUNT", "STATE"});
  table.AddRow({"first", "7", "a"});
  table.AddRow({"2", "1234567", "long one"});
  EXPECT_EQ(table.Text(),
            "ID       COUNT  STATE\n"
            "first        7  a\n"
            "2      1234567  long one");
}

TEST(TableTest, EndsARowWithNumbersAtTheRight) {
  Table table({"NAME", ">N"});
  table.AddRow({"a", "10"});
  table.AddRow({"b", "9"});
  EXPECT_EQ(table.Text(),
            "NAME   N\n"
            "a     10\n"
            "b      9");
}

TEST(TableTest, IsItsHeadWithoutRows) { EXPECT_EQ(Table({"A", ">B"}).Text(), "A  B"); }

TEST(TableTest, CountsCharactersAndNotBytes) {
  Table table({"NAME", ">N"});
  table.AddRow({"Zürich", "1"});
  table.AddRow({"Berlin", "2"});
  EXPECT_EQ(table.Text(),
            "NAME    N\n"
            "Zürich  1\n"
            "Berlin  2");
}

TEST(TableTest, LetsNoNameSteerTheTerminal) {
  Table table({"NAME", "N"});
  table.AddRow({"\033[2Jme\n\x7f", "1"});
  EXPECT_EQ(table.Text(),
            "NAME      N\n"
            "?[2Jme??  1");
}

TEST(CellTest, AMetricIsFormattedOrAbsent) {
  google::protobuf::Map<std::string, double> metrics;
  metrics["accuracy"] = 0.84567;
  EXPECT_EQ(MetricCell(metrics, "accuracy", "%.4f"), "0.8457");
  EXPECT_EQ(MetricCell(metrics, "accuracy", "%.1f"), "0.8");
  EXPECT_EQ(MetricCell(metrics, "loss", "%.4f"), "-");
}

TEST(CellTest, MegabytesAreMillions) {
  EXPECT_EQ(MegabytesCell(0), "0.0");
  EXPECT_EQ(MegabytesCell(47'800'000), "47.8");
  EXPECT_EQ(MegabytesCell(1 << 20), "1.0");
}

TEST(CellTest, AnAgeIsInItsLargestUnit) {
  EXPECT_EQ(Age(absl::ZeroDuration()), "0s");
  EXPECT_EQ(Age(absl::Seconds(59)), "59s");
  EXPECT_EQ(Age(absl::Seconds(60)), "1m");
  EXPECT_EQ(Age(absl::Minutes(59) + absl::Seconds(59)), "59m");
  EXPECT_EQ(Age(absl::Hours(1)), "1h");
  EXPECT_EQ(Age(absl::Hours(47)), "47h");
  EXPECT_EQ(Age(absl::Hours(48)), "2d");
  EXPECT_EQ(Age(absl::Hours(24 * 400)), "400d");
}

TEST(CellTest, AnAgeIsNeverNegativeAndZeroIsNever) {
  EXPECT_EQ(Age(-absl::Hours(3)), "0s") << "the server's clock is ahead of ours";
  EXPECT_EQ(AgeCell(0, kNow), "-");
}

TEST(CellTest, ALongTextIsCut) {
  EXPECT_EQ(ShortCell("", 5), "");
  EXPECT_EQ(ShortCell("12345", 5), "12345");
  EXPECT_EQ(ShortCell("123456", 5), "12...");
  EXPECT_EQ(ShortCell("1234", 3), "...");
}

TEST(CellTest, ATextIsCutBetweenCharacters) {
  EXPECT_EQ(ShortCell("ääääää", 6), "ääääää");
  EXPECT_EQ(ShortCell("ääääää", 5), "ää...");
}

TEST(OutputTest, PrintsALine) {
  ::testing::internal::CaptureStdout();
  Output().Print("text");
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "text\n");
}

TEST(OutputTest, PrintsJsonWithTheNamesOfTheProtoAndWithZeros) {
  v1::Model model;
  model.set_version(3);
  model.set_created_ms(0);
  (*model.mutable_evaluation())["accuracy"] = 0.5;
  ::testing::internal::CaptureStdout();
  Output().PrintJson(model);
  EXPECT_EQ(::testing::internal::GetCapturedStdout(),
            "{\"version\":\"3\",\"round\":\"0\",\"bytes\":\"0\",\"digest\":\"\","
            "\"created_ms\":\"0\",\"evaluation\":{\"accuracy\":0.5},\"kept\":false}\n");
}

}  // namespace
}  // namespace fed::server
