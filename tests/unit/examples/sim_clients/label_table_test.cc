// The table of labels, as it is printed.
#include "examples/sim_clients/label_table.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace fed::examples {
namespace {

const std::vector<std::int64_t> kLabels = {0, 2, 2, 0, 2};

TEST(LabelTableTest, CountsEachLabelOfEachClient) {
  EXPECT_EQ(LabelTable(kLabels, {{0, 3}, {1, 2, 4}}, 10),
            "client  examples     0     1     2\n"
            "     0         2     2     .     .\n"
            "     1         3     .     .     3\n"
            "smallest client 2 examples, largest 3\n");
}

TEST(LabelTableTest, SaysHowManyClientsAreNotShown) {
  EXPECT_EQ(LabelTable(kLabels, {{0, 3}, {1, 2}, {4}}, 1),
            "client  examples     0     1     2\n"
            "     0         2     2     .     .\n"
            "... and 2 more clients\n"
            "smallest client 1 examples, largest 2\n")
      << "the smallest of all, not of those shown";
  EXPECT_EQ(LabelTable(kLabels, {{0, 3}, {1, 2, 4}}, 0),
            "client  examples     0     1     2\n"
            "... and 2 more clients\n"
            "smallest client 2 examples, largest 3\n");
}

TEST(LabelTableTest, CountsRepeatedExamples) {
  EXPECT_EQ(LabelTable({0, 1}, {{0, 1, 0, 0}, {0, 1, 1}}, 1),
            "client  examples     0     1\n"
            "     0         4     3     1\n"
            "... and 1 more clients\n"
            "smallest client 3 examples, largest 4\n")
      << "even if a client has more than there are different ones";
}

}  // namespace
}  // namespace fed::examples
