// Images as text.
#include "server/cli/picture.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::server {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// All pixels of one value.
std::vector<float> Plain(int rows, int columns, float value) {
  return std::vector<float>(static_cast<std::size_t>(rows * columns), value);
}

std::vector<std::string> DrawPlain(int rows, int columns, float value) {
  return Draw(Plain(rows, columns, value), rows, columns, false);
}

TEST(PictureTest, ShrinksEverySizeToLinesOfOneWidth) {
  for (int rows = 1; rows <= 60; ++rows) {
    for (const int columns : {1, 2, 13, 14, 15, 27, 28, 29, 43, 100, rows}) {
      const std::vector<std::string> lines = DrawPlain(rows, columns, 1);
      const auto width = static_cast<std::size_t>(DrawnWidth(columns));
      EXPECT_LE(width, 14u);
      EXPECT_GE(width, columns < 14 ? static_cast<std::size_t>(columns) : 8u);
      EXPECT_GE(lines.size(), 1u);
      EXPECT_LE(lines.size(), 7u);
      EXPECT_THAT(lines, Each(SizeIs(width))) << rows << " x " << columns;
    }
  }
}

TEST(PictureTest, DrawsMnistInSevenLinesOfFourteen) {
  EXPECT_EQ(DrawnWidth(28), 14);
  EXPECT_THAT(DrawPlain(28, 28, 0), SizeIs(7));
  EXPECT_THAT(DrawPlain(28, 28, 0), Each(std::string(14, ' ')));
  EXPECT_THAT(DrawPlain(28, 28, 1), Each(std::string(14, '@')));
}

TEST(PictureTest, TheBrighterAPixelTheMoreInk) {
  const std::string ink = " .:-=+*#%@";
  for (std::size_t shade = 0; shade < ink.size(); ++shade) {
    const float value = (static_cast<float>(shade) + 0.5f) / 10;
    EXPECT_THAT(DrawPlain(2, 1, value), ElementsAre(std::string(1, ink[shade])));
  }
}

TEST(PictureTest, ClampsWhatIsOutsideOfTheRange) {
  EXPECT_THAT(DrawPlain(2, 2, -3), ElementsAre("  "));
  EXPECT_THAT(DrawPlain(2, 2, 3), ElementsAre("@@"));
}

TEST(PictureTest, KeepsWhereThingsAre) {
  std::vector<float> image = Plain(28, 28, 0);
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::size_t column = 14; column < 28; ++column) image[row * 28 + column] = 1;
  }
  const std::vector<std::string> lines = Draw(image, 28, 28, false);
  ASSERT_THAT(lines, SizeIs(7));
  EXPECT_EQ(lines[0], "       @@@@@@@");
  EXPECT_EQ(lines[1], std::string(14, ' '));
}

TEST(PictureTest, CellsAtTheEdgeAreAsBrightAsTheirPixels) {
  EXPECT_EQ(DrawnWidth(29), 10) << "cells of 3 pixels, the last one of 2";
  EXPECT_THAT(DrawPlain(15, 29, 1), SizeIs(4));
  EXPECT_THAT(DrawPlain(15, 29, 1), Each(std::string(10, '@')));
}

TEST(PictureTest, ALastLineOfOneRowIsHalfEmpty) {
  EXPECT_THAT(DrawPlain(3, 2, 1), ElementsAre("@@", "++"));
}

TEST(PictureTest, ColorsHalfBlocksInGrays) {
  EXPECT_THAT(Draw({1.0f, 0.0f}, 2, 1, true), ElementsAre("\033[38;5;255m\033[48;5;232m▀\033[0m"));
  EXPECT_THAT(Draw({0.5f, 0.5f}, 1, 2, true),
              ElementsAre("\033[38;5;244m\033[48;5;232m▀\033[38;5;244m\033[48;5;232m▀\033[0m"));
}

TEST(PictureTest, DrawsNothingOfAnImageWithoutRows) {
  EXPECT_THAT(Draw({}, 0, 5, false), IsEmpty());
}

}  // namespace
}  // namespace fed::server
