// Subcommands.
#include "server/cli/command_line.h"

#include <utility>

namespace fed::server {

CLI::App* AddCommand(CommandLine& line, CLI::App& parent, const std::string& name,
                     const std::string& about, std::function<Status()> work) {
  CLI::App* const command = parent.add_subcommand(name, about);
  command->fallthrough();
  command->callback([&line, work = std::move(work)] { line.chosen = work; });
  return command;
}

}  // namespace fed::server
