// fedctl job: create, start, pause, resume, stop, list, show, watch.
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "server/cli/command_line.h"
#include "server/cli/progress.h"
#include "server/round/job_spec.h"

namespace fed::server {
namespace {

using Stub = v1::Admin::StubInterface;

constexpr std::int64_t kMaxTextBytes = 1 << 20;

std::string StateCell(const v1::Job& job) {
  const std::string name = v1::JobState_Name(job.state()).substr(sizeof("JOB_STATE_") - 1);
  return job.reason().empty() ? name : absl::StrCat(name, " (", job.reason(), ")");
}

void Show(const google::protobuf::RepeatedPtrField<v1::Job>& jobs, const Output& output) {
  Table table(
      {"JOB", "STATE", ">ROUNDS", ">VERSION", ">OPEN ROUND", ">WAITING", ">AGE", "WAITS FOR"});
  const absl::Time now = Clock::Real().WallNow();
  for (const v1::Job& job : jobs) {
    table.AddRow(
        {job.id(), StateCell(job), absl::StrCat(job.rounds_done(), "/", job.rounds_planned()),
         absl::StrCat(job.latest_version()),
         job.open_round() == 0 ? "-" : absl::StrCat(job.open_round()),
         absl::StrCat(job.devices_waiting()), AgeCell(job.created_ms(), now), job.waiting_for()});
  }
  output.Print(table.Text());
}

void ShowOne(const v1::Job& job, const Output& output) {
  if (output.json) {
    output.PrintJson(job);
    return;
  }
  google::protobuf::RepeatedPtrField<v1::Job> one;
  *one.Add() = job;
  Show(one, output);
}

// The file that job.toml names, relative to job.toml.
std::string Beside(const std::string& spec_path, const std::string& path) {
  return path.front() == '/' ? path : JoinPath(FolderOf(spec_path), path);
}

Status Create(CommandLine& line, const std::string& spec_path, bool start) {
  FileSystem& files = FileSystem::Real();
  v1::CreateJobRequest::Begin begin;
  FED_ASSIGN_OR_RETURN(*begin.mutable_spec(), ReadFile(files, spec_path, kMaxTextBytes));
  begin.set_spec_source(spec_path);
  begin.set_start(start);
  FED_ASSIGN_OR_RETURN(const JobSpec spec, ParseJobSpec(begin.spec(), spec_path));
  if (!spec.model.plan.empty()) {
    const std::string path = Beside(spec_path, spec.model.plan);
    FED_ASSIGN_OR_RETURN(*begin.mutable_plan(), ReadFile(files, path, kMaxTextBytes));
    begin.set_plan_source(path);
  }
  std::unique_ptr<File> model;
  if (!spec.model.file.empty()) {
    FED_ASSIGN_OR_RETURN(model,
                         files.Open(Beside(spec_path, spec.model.file), FileSystem::Mode::kRead));
    FED_ASSIGN_OR_RETURN(const std::int64_t bytes, model->size());
    begin.set_model_bytes(bytes);
  }
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  FED_ASSIGN_OR_RETURN(const v1::Job job, admin->CreateJob(begin, model.get()));
  ShowOne(job, line.output);
  return Status();
}

Status Order(CommandLine& line, const std::string& job,
             grpc::Status (Stub::*method)(grpc::ClientContext*, const v1::JobRequest&, v1::Job*)) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::JobRequest request;
  request.set_job(job);
  FED_ASSIGN_OR_RETURN(const v1::Job reply, admin->Call(method, request));
  ShowOne(reply, line.output);
  return Status();
}

Status List(CommandLine& line) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  FED_ASSIGN_OR_RETURN(const v1::ListJobsReply reply,
                       admin->Call(&Stub::ListJobs, v1::ListJobsRequest()));
  if (line.output.json) {
    line.output.PrintJson(reply);
  } else {
    Show(reply.jobs(), line.output);
  }
  return Status();
}

Status ShowJob(CommandLine& line, const std::string& job) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::JobRequest request;
  request.set_job(job);
  FED_ASSIGN_OR_RETURN(const v1::ShowJobReply reply, admin->Call(&Stub::ShowJob, request));
  if (line.output.json) {
    line.output.PrintJson(reply);
    return Status();
  }
  ShowOne(reply.job(), line.output);
  if (!reply.latest_metrics().empty()) {
    line.output.Print(absl::StrCat("\nevaluation of version ", reply.evaluated_version(), ":"));
    for (const auto& [name, value] : reply.latest_metrics()) {
      line.output.Print(absl::StrCat("  ", name, " = ", value));
    }
  }
  line.output.Print(absl::StrCat("\njob.toml:\n", reply.spec()));
  if (!reply.plan().empty()) line.output.Print(absl::StrCat("plan:\n", reply.plan()));
  return Status();
}

Status Watch(CommandLine& line, const std::string& job) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  if (line.output.json) {
    return admin->WatchJob(job, [&](const v1::JobEvent& event) {
      line.output.PrintJson(event);
      return true;
    });
  }
  Progress progress(line.output);
  return admin->WatchJob(job, [&](const v1::JobEvent& event) {
    progress.Show(event);
    return true;
  });
}

}  // namespace

void AddJobCommands(CommandLine& line) {
  CLI::App* const job = line.app.add_subcommand("job", "trainings");
  job->require_subcommand(1)->fallthrough();
  auto path = std::make_shared<std::string>();
  auto start = std::make_shared<bool>(false);
  CLI::App* const create = AddCommand(line, *job, "create", "make one from job.toml",
                                      [&line, path, start] { return Create(line, *path, *start); });
  create->add_option("file", *path, "job.toml; every key is in job.sample.toml")->required();
  create->add_flag("--start", *start, "and start it at once");
  auto id = std::make_shared<std::string>();
  const auto on_job = [&](const char* name, const char* about, std::function<Status()> work) {
    AddCommand(line, *job, name, about, std::move(work))
        ->add_option("job", *id, "its id")
        ->required();
  };
  on_job("start", "begin its rounds", [&line, id] { return Order(line, *id, &Stub::StartJob); });
  on_job("pause", "open no further round",
         [&line, id] { return Order(line, *id, &Stub::PauseJob); });
  on_job("resume", "go on", [&line, id] { return Order(line, *id, &Stub::ResumeJob); });
  on_job("stop", "end it for good; the open round's updates are discarded",
         [&line, id] { return Order(line, *id, &Stub::StopJob); });
  AddCommand(line, *job, "list", "all of them", [&line] { return List(line); });
  on_job("show", "one of them, with its texts and newest evaluation",
         [&line, id] { return ShowJob(line, *id); });
  on_job("watch", "a row a round, as they end, until the job has ended",
         [&line, id] { return Watch(line, *id); });
}

}  // namespace fed::server
