// Shrinks and draws.
#include "server/cli/picture.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace fed::server {
namespace {

constexpr int kMostCells = 14;
constexpr absl::string_view kInk = " .:-=+*#%@";
constexpr int kDarkest = 232, kGrays = 24;  // of a terminal's 256 colors

// Pixels that make one cell, in each direction.
int PixelsPerCell(int pixels) { return std::max(1, (pixels + kMostCells - 1) / kMostCells); }
int Cells(int pixels) { return (pixels + PixelsPerCell(pixels) - 1) / PixelsPerCell(pixels); }

// The mean of the pixels under a cell; 0 below the image.
float CellValue(absl::Span<const float> image, int rows, int columns, int row, int column) {
  const int height = PixelsPerCell(rows), width = PixelsPerCell(columns);
  float sum = 0;
  int count = 0;
  for (int r = row * height; r < std::min(rows, (row + 1) * height); ++r) {
    for (int c = column * width; c < std::min(columns, (column + 1) * width); ++c) {
      sum += image[static_cast<std::size_t>(r * columns + c)];
      ++count;
    }
  }
  return count == 0 ? 0 : std::clamp(sum / static_cast<float>(count), 0.0f, 1.0f);
}

int Gray(float value) {
  return kDarkest + std::min(kGrays - 1, static_cast<int>(value * static_cast<float>(kGrays)));
}

char Ink(float value) {
  const auto shades = static_cast<float>(kInk.size());
  return kInk[std::min(kInk.size() - 1, static_cast<std::size_t>(value * shades))];
}

}  // namespace

int DrawnWidth(int columns) { return Cells(columns); }

std::vector<std::string> Draw(absl::Span<const float> image, int rows, int columns, bool color) {
  std::vector<std::string> lines;
  for (int row = 0; row < Cells(rows); row += 2) {  // a character is about twice as high as wide
    std::string line;
    for (int column = 0; column < Cells(columns); ++column) {
      const float upper = CellValue(image, rows, columns, row, column);
      const float lower = CellValue(image, rows, columns, row + 1, column);
      if (color) {
        absl::StrAppend(&line, "\033[38;5;", Gray(upper), "m\033[48;5;", Gray(lower), "m▀");
      } else {
        line.push_back(Ink((upper + lower) / 2));
      }
    }
    lines.push_back(color ? absl::StrCat(line, "\033[0m") : line);
  }
  return lines;
}

}  // namespace fed::server
