// Small gray images in a terminal.
#ifndef FED_SERVER_CLI_PICTURE_H_
#define FED_SERVER_CLI_PICTURE_H_

#include <string>
#include <vector>

#include "absl/types/span.h"

namespace fed::server {

// A gray image of rows x columns values in [0, 1], shrunk to at most 14 x 14 cells, as lines of
// text of equal width. `color`: half blocks in 24 grays for a terminal; else characters by their
// ink.
std::vector<std::string> Draw(absl::Span<const float> image, int rows, int columns, bool color);

// The width of those lines as a terminal shows them.
int DrawnWidth(int columns);

}  // namespace fed::server

#endif  // FED_SERVER_CLI_PICTURE_H_
