// fedctl client, fedctl enroll-token: who takes part.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/clock.h"
#include "server/cli/command_line.h"

namespace fed::server {
namespace {

using Stub = v1::Admin::StubInterface;

std::string LabelsCell(const v1::Client& client) {
  std::vector<std::string> labels;
  for (const auto& [name, value] : client.labels())
    labels.push_back(absl::StrCat(name, "=", value));
  std::sort(labels.begin(), labels.end());
  return absl::StrJoin(labels, ",");
}

void Show(const google::protobuf::RepeatedPtrField<v1::Client>& clients, const Output& output) {
  Table table({"ID", "ROLE", "NAME", "LABELS", "SDK", "PLATFORM", ">EXAMPLES", ">ROUNDS", ">FAILED",
               ">SEEN", "STATE"});
  const absl::Time now = Clock::Real().WallNow();
  for (const v1::Client& client : clients) {
    table.AddRow({client.id().substr(0, 12), client.role(), ShortCell(client.name(), 24),
                  ShortCell(LabelsCell(client), 32), client.sdk_version(), client.platform(),
                  absl::StrCat(client.examples()), absl::StrCat(client.rounds()),
                  absl::StrCat(client.failures()), AgeCell(client.last_seen_ms(), now),
                  client.revoked()   ? "revoked"
                  : client.waiting() ? "waiting"
                                     : ""});
  }
  output.Print(table.Text());
}

void ShowOne(const v1::Client& client, const Output& output) {
  if (output.json) {
    output.PrintJson(client);
    return;
  }
  google::protobuf::RepeatedPtrField<v1::Client> one;
  *one.Add() = client;
  Show(one, output);
}

Status List(CommandLine& line, std::int64_t limit) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::ListClientsRequest request;
  request.set_limit(limit);
  FED_ASSIGN_OR_RETURN(const v1::ListClientsReply reply, admin->Call(&Stub::ListClients, request));
  if (line.output.json) {
    line.output.PrintJson(reply);
  } else {
    Show(reply.clients(), line.output);
  }
  return Status();
}

Status One(CommandLine& line, const std::string& id,
           grpc::Status (Stub::*method)(grpc::ClientContext*, const v1::ClientRequest&,
                                        v1::Client*)) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::ClientRequest request;
  request.set_id(id);
  FED_ASSIGN_OR_RETURN(const v1::Client client, admin->Call(method, request));
  ShowOne(client, line.output);
  return Status();
}

struct TokenFlags {
  std::string role = "client";
  std::int64_t uses = 1;
  std::string ttl = "1h";
  std::vector<std::string> labels;
  bool ids_from_names = false;
};

Status CreateToken(CommandLine& line, const TokenFlags& flags) {
  v1::CreateEnrollTokenRequest request;
  request.set_role(flags.role);
  request.set_uses(flags.uses);
  request.set_ids_from_names(flags.ids_from_names);
  absl::Duration ttl;
  if (!absl::ParseDuration(flags.ttl, &ttl)) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("--ttl '", flags.ttl, "' is not a duration such as 30m or 24h"));
  }
  request.set_ttl_ms(absl::ToInt64Milliseconds(ttl));
  for (const std::string& label : flags.labels) {
    const std::size_t equals = label.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("--label '", label, "' is not of the form name=value"));
    }
    (*request.mutable_labels())[label.substr(0, equals)] = label.substr(equals + 1);
  }
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  FED_ASSIGN_OR_RETURN(const v1::CreateEnrollTokenReply reply,
                       admin->Call(&Stub::CreateEnrollToken, request));
  if (line.output.json) {
    line.output.PrintJson(reply);
  } else {
    line.output.Print(reply.token());
  }
  return Status();
}

}  // namespace

void AddClientCommands(CommandLine& line) {
  CLI::App* const client = line.app.add_subcommand("client", "devices and operators");
  client->require_subcommand(1)->fallthrough();
  auto limit = std::make_shared<std::int64_t>(0);
  AddCommand(line, *client, "list", "all that have enrolled", [&line, limit] {
    return List(line, *limit);
  })->add_option("--limit", *limit, "at most so many");
  auto id = std::make_shared<std::string>();
  AddCommand(line, *client, "show", "one of them",
             [&line, id] { return One(line, *id, &Stub::ShowClient); })
      ->add_option("id", *id, "its id, or the first 8 characters or more")
      ->required();
  AddCommand(line, *client, "revoke", "takes its access away, at once and for good",
             [&line, id] { return One(line, *id, &Stub::RevokeClient); })
      ->add_option("id", *id, "its id, or the first 8 characters or more")
      ->required();

  auto flags = std::make_shared<TokenFlags>();
  CLI::App* const token =
      AddCommand(line, line.app, "enroll-token", "a token that lets devices enroll; shown once",
                 [&line, flags] { return CreateToken(line, *flags); });
  token->add_option("--role", flags->role, "client, evaluator, leaf, operator or viewer")
      ->capture_default_str();
  token->add_option("--uses", flags->uses, "how many devices may use it")->capture_default_str();
  token->add_option("--ttl", flags->ttl, "for how long, as 30m or 24h")->capture_default_str();
  token->add_flag("--ids-from-names", flags->ids_from_names,
                  "the devices' names become their ids, as a simulation needs to repeat exactly");
  token->add_option("--label", flags->labels, "name=value, given to every device that uses it");
}

}  // namespace fed::server
