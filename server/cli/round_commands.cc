// fedctl round: list, show.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "server/cli/command_line.h"

namespace fed::server {
namespace {

using Stub = v1::Admin::StubInterface;

Table RoundTable() {
  return Table({">ROUND", "STATE", ">BASE", ">VERSION", ">UPDATES", ">DRAWN", ">TRAIN LOSS",
                ">ACCURACY", ">SECONDS", ">MB UP", ">MB DOWN", "REASON"});
}

std::string MegabytesOf(const v1::Round& round, const std::string& name) {
  const auto metric = round.metrics().find(name);
  return metric == round.metrics().end() ? "-" : MegabytesCell(metric->second);
}

void AddTo(Table& table, const v1::Round& round) {
  table.AddRow({absl::StrCat(round.round()), round.state(), absl::StrCat(round.base_version()),
                round.version() < 0 ? "-" : absl::StrCat(round.version()),
                absl::StrCat(round.updates(), "/", round.target_updates()),
                absl::StrCat(round.cohort()), MetricCell(round.metrics(), "train_loss", "%.4f"),
                MetricCell(round.evaluation(), "accuracy", "%.4f"),
                MetricCell(round.metrics(), "seconds", "%.2f"), MegabytesOf(round, "bytes_up"),
                MegabytesOf(round, "bytes_down"), round.reason()});
}

Status List(CommandLine& line, const std::string& job, std::int64_t limit) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::ListRoundsRequest request;
  request.set_job(job);
  request.set_limit(limit);
  FED_ASSIGN_OR_RETURN(const v1::ListRoundsReply reply, admin->Call(&Stub::ListRounds, request));
  if (line.output.json) {
    line.output.PrintJson(reply);
    return Status();
  }
  Table table = RoundTable();
  for (const v1::Round& round : reply.rounds()) AddTo(table, round);
  line.output.Print(table.Text());
  return Status();
}

std::string ProgressCell(const v1::Participant& participant) {
  if (participant.steps() <= 0) return "-";
  return absl::StrCat(participant.step(), "/", participant.steps());
}

Status Show(CommandLine& line, const std::string& job, std::int64_t round) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::ShowRoundRequest request;
  request.set_job(job);
  request.set_round(round);
  FED_ASSIGN_OR_RETURN(const v1::ShowRoundReply reply, admin->Call(&Stub::ShowRound, request));
  if (line.output.json) {
    line.output.PrintJson(reply);
    return Status();
  }
  Table head = RoundTable();
  AddTo(head, reply.round());
  line.output.Print(head.Text());
  Table table({">ASSIGNMENT", "CLIENT", "NAME", "STATE", "AT", ">STEP", ">LAST SIGN", "RECEIPT",
               ">MB", "REASON"});
  for (const v1::Participant& one : reply.participants()) {
    table.AddRow(
        {absl::StrCat(one.assignment()), one.client().substr(0, 12),
         ShortCell(one.client_name(), 24), one.state(), one.stage(), ProgressCell(one),
         one.last_sign_ms_ago() < 0 ? "-" : absl::StrCat(one.last_sign_ms_ago() / 1'000, "s"),
         one.receipt(), one.bytes() == 0 ? "-" : MegabytesCell(static_cast<double>(one.bytes())),
         one.reason().empty() ? one.receipt_reason() : one.reason()});
  }
  line.output.Print(absl::StrCat("\n", table.Text()));
  return Status();
}

}  // namespace

void AddRoundCommands(CommandLine& line) {
  CLI::App* const round = line.app.add_subcommand("round", "rounds of a job");
  round->require_subcommand(1)->fallthrough();
  auto job = std::make_shared<std::string>();
  auto limit = std::make_shared<std::int64_t>(0);
  CLI::App* const list = AddCommand(line, *round, "list", "all of them, the newest first",
                                    [&line, job, limit] { return List(line, *job, *limit); });
  list->add_option("job", *job, "the job's id")->required();
  list->add_option("--limit", *limit, "at most so many");
  auto number = std::make_shared<std::int64_t>(0);
  CLI::App* const show = AddCommand(line, *round, "show", "one of them: who is at what",
                                    [&line, job, number] { return Show(line, *job, *number); });
  show->add_option("job", *job, "the job's id")->required();
  show->add_option("round", *number, "its number; the newest without it");
}

}  // namespace fed::server
