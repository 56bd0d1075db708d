// fedctl ca: the certificate authority.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "server/cli/command_line.h"
#include "server/security/certificate_authority.h"

namespace fed::server {
namespace {

struct CaFlags {
  std::string folder = "ca";
  std::string trust_domain = "fed.local";
  std::vector<std::string> names = {"localhost", "127.0.0.1"};
};

Status Init(const CaFlags& flags, const Output& output) {
  NewAuthority authority;
  authority.trust_domain = flags.trust_domain;
  authority.server_names = flags.names;
  authority.now = Clock::Real().WallNow();
  FED_RETURN_IF_ERROR(InitAuthority(FileSystem::Real(), flags.folder, authority));
  output.Print(absl::StrCat(
      "made ", flags.folder, ":\n",
      "  root.pem      what everybody trusts; root.key may now be moved offline\n",
      "  issuing.pem   signs devices' certificates (issuing.key: fedserver needs it)\n",
      "  server.pem    fedserver's own certificate (server.key)\n",
      "  operator.pem  the first operator's, for fedctl --certs ", flags.folder,
      " (operator.key)"));
  return Status();
}

}  // namespace

void AddCaCommands(CommandLine& line) {
  CLI::App* const ca = line.app.add_subcommand("ca", "the certificate authority");
  ca->require_subcommand(1)->fallthrough();
  auto flags = std::make_shared<CaFlags>();
  CLI::App* const init =
      AddCommand(line, *ca, "init", "make a new one: root, issuing CA, server and first operator",
                 [&line, flags] { return Init(*flags, line.output); });
  init->add_option("--dir", flags->folder, "folder to make; nothing in it is overwritten")
      ->capture_default_str();
  init->add_option("--trust-domain", flags->trust_domain,
                   "first part of every identity: spiffe://<trust domain>/<role>/<id>")
      ->capture_default_str();
  init->add_option("--name", flags->names,
                   "DNS names and IP addresses under which devices reach the server")
      ->capture_default_str();
}

}  // namespace fed::server
