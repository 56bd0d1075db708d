// CSV files: columns, numbers, quotes, and the place of what is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "client_sdk/data/csv_lines.h"
#include "tests/testing/status_matchers.h"
#include "tests/testing/temp_folder.h"
#include "tests/unit/client_sdk/data/dataset_files.h"

namespace fed::client {
namespace {

using ::testing::ElementsAre;
using ::testing::Eq;
using ::testing::HasSubstr;

class CsvTest : public ::testing::Test {
 protected:
  StatusOr<std::unique_ptr<Dataset>> Load(const std::string& text, const CsvOptions& options = {}) {
    WritePlain(path_, text);
    return LoadCsvDataset(path_, options);
  }
  static CsvOptions WithoutHeader(std::vector<std::string> targets = {}) {
    CsvOptions options;
    options.header = false;
    options.targets = std::move(targets);
    return options;
  }

  const fed::testing::TempFolder folder_;
  const std::string path_ = folder_.File("data.csv");
};

TEST_F(CsvTest, TakesTheLastColumnAsTarget) {
  ASSERT_OK_AND_ASSIGN(const auto data, Load("a,b,y\n1,2,3\n-4.5,1e2,0\n"));

  EXPECT_EQ(data->size(), 2);
  EXPECT_THAT(data->example_shape(), ElementsAre(2));
  EXPECT_EQ(data->target_values(), 1);
  const Gathered all = GatherAll(*data);
  EXPECT_THAT(all.features, ElementsAre(1, 2, -4.5, 100));
  EXPECT_THAT(all.targets, ElementsAre(3, 0));
  EXPECT_THAT(Gather(*data, {1}).features, ElementsAre(-4.5, 100));
}

TEST_F(CsvTest, TakesTargetsByNameInTheirOrder) {
  CsvOptions options;
  options.targets = {"y", "a"};
  ASSERT_OK_AND_ASSIGN(const auto data, Load("a,b,y\n1,2,3\n4,5,6\n", options));
  const Gathered all = GatherAll(*data);
  EXPECT_THAT(all.features, ElementsAre(2, 5));
  EXPECT_THAT(all.targets, ElementsAre(3, 1, 6, 4));
}

TEST_F(CsvTest, TakesTargetsByNumberWithoutAHeader) {
  ASSERT_OK_AND_ASSIGN(const auto data, Load("1,2,3\n4,5,6\n", WithoutHeader({"0"})));
  EXPECT_THAT(GatherAll(*data).features, ElementsAre(2, 3, 5, 6));
  EXPECT_THAT(GatherAll(*data).targets, ElementsAre(1, 4));
}

TEST_F(CsvTest, ReadsOtherSeparatorsSpacesQuotesEmptyLinesAndNoLastNewline) {
  CsvOptions options;
  options.separator = ';';
  ASSERT_OK_AND_ASSIGN(const auto data,
                       Load("\"x;1\";\"the \"\"y\"\"\"\r\n\r\n 1 ;+2\r\n\n\"3\";4", options));
  EXPECT_THAT(GatherAll(*data).features, ElementsAre(1, 3));
  EXPECT_THAT(GatherAll(*data).targets, ElementsAre(2, 4));
}

TEST_F(CsvTest, ReadsGzipOfManyPieces) {
  std::string text = "a,b\n";
  for (int i = 0; i < 30'000; ++i) text += std::to_string(i) + "," + std::to_string(i % 10) + "\n";
  WriteGzip(path_, text);
  ASSERT_OK_AND_ASSIGN(const auto data, LoadCsvDataset(path_));
  ASSERT_EQ(data->size(), 30'000);
  const Gathered all = GatherAll(*data);
  for (int i = 0; i < 30'000; ++i) {
    ASSERT_EQ(all.features[static_cast<std::size_t>(i)], static_cast<float>(i));
  }
}

TEST_F(CsvTest, HasNoExamplesBehindABareHeader) {
  ASSERT_OK_AND_ASSIGN(const auto data, Load("a,b\n"));
  EXPECT_EQ(data->size(), 0);
}

struct Malformed {
  const char* text;
  CsvOptions options;
  const char* message;  // after the folder
};

TEST_F(CsvTest, NamesFileLineAndColumnOfWhatIsMalformed) {
  CsvOptions unknown;
  unknown.targets = {"z"};
  CsvOptions twice;
  twice.targets = {"a", "a"};
  CsvOptions all;
  all.targets = {"a", "b"};
  const Malformed cases[] = {
      {"", {}, "data.csv: is empty"},
      {"\n\n", {}, "data.csv: is empty"},
      {"a,b\n1,2\n3\n", {}, "data.csv:3: 1 columns: expected 2"},
      {"a,b\n1,2,3\n", {}, "data.csv:2: 3 columns: expected 2"},
      {"a,b\n\n1,x\n", {}, "data.csv:3: column 1 ('b') is 'x': expected a finite number"},
      {"1,2\n,2\n", WithoutHeader(), "data.csv:2: column 0 is '': expected a finite number"},
      {"a,b\n1,2 3\n", {}, "data.csv:2: column 1 ('b') is '2 3': expected a finite number"},
      {"a,b\nnan,2\n", {}, "data.csv:2: column 0 ('a') is 'nan': expected a finite number"},
      {"a,b\n1e99,2\n", {}, "data.csv:2: column 0 ('a') is '1e99': expected a finite number"},
      {"a,b\n\"1,2\n", {}, "data.csv:2: a quote without its end"},
      {"a,b\n1,2\n", unknown, "data.csv: has no column 'z'"},
      {"a,b\n1,2\n", twice, "data.csv: column 0 is a target twice"},
      {"a,b\n1,2\n", all, "data.csv: has no column beside the targets"},
      {"1,2\n", WithoutHeader({"2"}),
       "data.csv: target '2': without a header, expected a column's number from 0 to 1"},
      {"1,2\n", WithoutHeader({"-1"}),
       "data.csv: target '-1': without a header, expected a column's number from 0 to 1"},
  };
  for (const Malformed& each : cases) {
    EXPECT_THAT(Load(each.text, each.options),
                fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                       Eq(folder_.path() + "/" + each.message)));
  }
}

TEST_F(CsvTest, RefusesALineWithoutEnd) {
  EXPECT_THAT(Load("a,b\n" + std::string(kMaxCsvLineBytes + 1, '1')),
              fed::testing::StatusIs(StatusCode::kInvalidArgument,
                                     HasSubstr("data.csv:2: a line of more than 16777216 bytes")));
}

TEST_F(CsvTest, NamesAMissingFile) {
  EXPECT_THAT(LoadCsvDataset("/nowhere/data.csv"),
              fed::testing::StatusIs(StatusCode::kNotFound, HasSubstr("/nowhere/data.csv")));
}

}  // namespace
}  // namespace fed::client
