// fedctl model: list, export.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "server/cli/command_line.h"
#include "server/cli/model_source.h"

namespace fed::server {
namespace {

using Stub = v1::Admin::StubInterface;

Status List(CommandLine& line, const std::string& job) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::ListModelsRequest request;
  request.set_job(job);
  FED_ASSIGN_OR_RETURN(const v1::ListModelsReply reply, admin->Call(&Stub::ListModels, request));
  if (line.output.json) {
    line.output.PrintJson(reply);
    return Status();
  }
  Table table({">VERSION", ">ROUND", ">MB", "DIGEST", ">AGE", ">ACCURACY", ">LOSS", "FILES"});
  const absl::Time now = Clock::Real().WallNow();
  for (const v1::Model& model : reply.models()) {
    table.AddRow(
        {absl::StrCat(model.version()), absl::StrCat(model.round()),
         MegabytesCell(static_cast<double>(model.bytes())), model.digest().substr(0, 16),
         AgeCell(model.created_ms(), now), MetricCell(model.evaluation(), "accuracy", "%.4f"),
         MetricCell(model.evaluation(), "loss", "%.4f"), model.kept() ? "kept" : "removed"});
  }
  line.output.Print(table.Text());
  return Status();
}

Status Export(CommandLine& line, const ModelChoice& choice, const std::string& path) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  FED_ASSIGN_OR_RETURN(const v1::Model model, ExportModel(*admin, choice, path));
  if (line.output.json) {
    line.output.PrintJson(model);
  } else {
    line.output.Print(absl::StrCat("version ", model.version(), " (", model.bytes(),
                                   " bytes, digest ", model.digest().substr(0, 16), ") is in ",
                                   path));
  }
  return Status();
}

}  // namespace

void AddModelCommands(CommandLine& line) {
  CLI::App* const model = line.app.add_subcommand("model", "versions of a job's model");
  model->require_subcommand(1)->fallthrough();
  auto job = std::make_shared<std::string>();
  AddCommand(line, *model, "list", "all of them", [&line, job] { return List(line, *job); })
      ->add_option("job", *job, "the job's id")
      ->required();
  auto choice = std::make_shared<ModelChoice>();
  auto path = std::make_shared<std::string>();
  CLI::App* const get = AddCommand(line, *model, "export", "one of them as a safetensors file",
                                   [&line, choice, path] { return Export(line, *choice, *path); });
  get->add_option("job", choice->job, "the job's id")->required();
  get->add_option("--out,-o", *path, "file to write; replaced if it is there")->required();
  get->add_option("--version", choice->version, "its number; the newest without it");
  get->add_option("--group", choice->group, "another file of the version, as control");
}

}  // namespace fed::server
