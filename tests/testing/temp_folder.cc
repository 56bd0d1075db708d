// mkdtemp and its undoing.
#include "tests/testing/temp_folder.h"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "common/base/check.h"
#include "common/base/file.h"

namespace fed::testing {

TempFolder::TempFolder() {
  const char* root = std::getenv("TMPDIR");
  path_ = JoinPath(root == nullptr || *root == '\0' ? "/tmp" : root, "fed_test.XXXXXX");
  FED_CHECK(::mkdtemp(path_.data()) != nullptr);
}

TempFolder::~TempFolder() {
  std::error_code ignored;  // a folder left behind fails no test
  std::filesystem::remove_all(path_, ignored);
}

std::string TempFolder::File(absl::string_view name) const { return JoinPath(path_, name); }

}  // namespace fed::testing
