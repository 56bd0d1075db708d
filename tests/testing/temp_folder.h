// A folder of a test's own, gone with all that is in it when the test ends.
#ifndef FED_TESTS_TESTING_TEMP_FOLDER_H_
#define FED_TESTS_TESTING_TEMP_FOLDER_H_

#include <string>

#include "absl/strings/string_view.h"

namespace fed::testing {

// Ends the process if the folder can not be made: no test could go on.
class TempFolder {
 public:
  TempFolder();  // below $TMPDIR or /tmp
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string File(absl::string_view name) const;  // "<path>/<name>"; nothing is made

 private:
  std::string path_;
};

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_TEMP_FOLDER_H_
