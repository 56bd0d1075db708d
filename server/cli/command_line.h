// fedctl's commands: each file of this folder adds its own to the command line.
#ifndef FED_SERVER_CLI_COMMAND_LINE_H_
#define FED_SERVER_CLI_COMMAND_LINE_H_

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "fed/status.h"
#include "server/cli/admin_client.h"
#include "server/cli/output.h"

namespace fed::server {

// What every command may use; outlives the parsed command line.
struct CommandLine {
  CLI::App app{"fedctl: operates a fedserver"};
  AdminAddress address;            // --server, --certs
  Output output;                   // --json
  std::function<Status()> chosen;  // the command that was given
};

// A subcommand whose work is done after the whole line has been read.
CLI::App* AddCommand(CommandLine& line, CLI::App& parent, const std::string& name,
                     const std::string& about, std::function<Status()> work);

void AddCaCommands(CommandLine& line);      // ca init
void AddJobCommands(CommandLine& line);     // job create|start|pause|resume|stop|list|show|watch
void AddRoundCommands(CommandLine& line);   // round list|show
void AddClientCommands(CommandLine& line);  // client list|show|revoke, enroll-token
void AddModelCommands(CommandLine& line);   // model list|export
void AddPredictCommand(CommandLine& line);  // predict
void AddTrainCommand(CommandLine& line);    // train

}  // namespace fed::server

#endif  // FED_SERVER_CLI_COMMAND_LINE_H_
