// fedctl: reads the command line and runs the command.
#include <cstdio>
#include <cstdlib>

#include "server/cli/command_line.h"

namespace {

using fed::server::CommandLine;

void AddGlobalOptions(CommandLine& line) {
  line.app.add_option("--server", line.address.server, "the admin listener, host:port")
      ->envname("FEDCTL_SERVER")
      ->capture_default_str();
  line.app
      .add_option("--certs", line.address.certs,
                  "folder with operator.pem, operator.key and root.pem")
      ->envname("FEDCTL_CERTS")
      ->capture_default_str();
  line.app.add_flag("--json", line.output.json, "print JSON instead of tables");
  line.app.set_version_flag("--version", FED_VERSION);
  line.app.require_subcommand(1);
  line.app.fallthrough();
}

}  // namespace

int main(int argc, char** argv) {
  CommandLine line;
  AddGlobalOptions(line);
  fed::server::AddCaCommands(line);
  fed::server::AddClientCommands(line);
  fed::server::AddJobCommands(line);
  fed::server::AddRoundCommands(line);
  fed::server::AddModelCommands(line);
  fed::server::AddPredictCommand(line);
  fed::server::AddTrainCommand(line);
  CLI11_PARSE(line.app, argc, argv);
  const fed::Status status = line.chosen();
  if (status.ok()) return EXIT_SUCCESS;
  std::fprintf(stderr, "fedctl: %s\n", status.message().c_str());
  return EXIT_FAILURE;
}
