// Runs another program to its end: an independent reader of what we wrote.
#ifndef FED_TESTS_TESTING_RUN_COMMAND_H_
#define FED_TESTS_TESTING_RUN_COMMAND_H_

#include <string>
#include <vector>

namespace fed::testing {

struct CommandResult {
  int exit_code = -1;  // -1: killed by a signal
  std::string output;  // stdout and stderr together
};

// `command[0]` is looked up in PATH; a program that is not there is exit code 127. No shell reads
// the arguments. Blocks.
CommandResult RunCommand(const std::vector<std::string>& command);

}  // namespace fed::testing

#endif  // FED_TESTS_TESTING_RUN_COMMAND_H_
