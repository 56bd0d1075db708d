// fedctl predict: what a merged model says of examples.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <numeric>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client_sdk/data/idx_folder.h"
#include "common/base/file.h"
#include "fed/dataset.h"
#include "fed/model_plan.h"
#include "fed/predictor.h"
#include "server/cli/command_line.h"
#include "server/cli/model_source.h"
#include "server/cli/picture.h"

namespace fed::server {
namespace {

using Stub = v1::Admin::StubInterface;

constexpr std::int64_t kMaxPlanBytes = 1 << 20;
constexpr int kPicturesPerLine = 5;

struct PredictFlags {
  ModelChoice choice;       // of a job; or:
  std::string model, plan;  // files
  std::string data;         // folder of IDX files; or:
  std::string csv;
  std::int64_t first = 0;
  std::int64_t count = 10;
  bool draw = false;
};

struct Prediction {
  std::int64_t example = 0;
  std::int64_t predicted = 0;  // class
  float probability = 0;
  std::int64_t truth = 0;
};

// A folder of this process's own, gone with all that is in it.
class ScratchFolder {
 public:
  static StatusOr<ScratchFolder> Make() {
    std::error_code error;
    std::string path = (std::filesystem::temp_directory_path(error) / "fedctl-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) {
      return Status(StatusCode::kUnavailable,
                    absl::StrCat("no folder can be made at ", path, "; set TMPDIR"));
    }
    return ScratchFolder(std::move(path));
  }
  ScratchFolder(ScratchFolder&& other) noexcept : path_(std::exchange(other.path_, "")) {}
  ~ScratchFolder() {
    std::error_code error;  // best effort: it lies in a folder for such things
    if (!path_.empty()) std::filesystem::remove_all(path_, error);
  }

  const std::string& path() const { return path_; }

 private:
  explicit ScratchFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// The job's newest (or chosen) version and its plan, from the server.
StatusOr<std::unique_ptr<Predictor>> FromJob(CommandLine& line, const PredictFlags& flags) {
  FED_ASSIGN_OR_RETURN(const auto admin, AdminClient::Connect(line.address));
  v1::JobRequest request;
  request.set_job(flags.choice.job);
  FED_ASSIGN_OR_RETURN(const v1::ShowJobReply job, admin->Call(&Stub::ShowJob, request));
  if (job.plan().empty()) {
    return Status(StatusCode::kFailedPrecondition,
                  absl::StrCat("job '", flags.choice.job,
                               "' has no model plan; export the model and predict with its own "
                               "framework, or give --model and --plan"));
  }
  FED_ASSIGN_OR_RETURN(const ModelPlan plan, ParseModelPlan(job.plan(), "plan of the job"));
  FED_ASSIGN_OR_RETURN(const ScratchFolder scratch, ScratchFolder::Make());
  const std::string path = JoinPath(scratch.path(), "model.safetensors");
  FED_RETURN_IF_ERROR(ExportModel(*admin, flags.choice, path).status());
  return Predictor::Load(plan, path);
}

StatusOr<std::unique_ptr<Predictor>> MakePredictor(CommandLine& line, const PredictFlags& flags) {
  if (!flags.choice.job.empty()) return FromJob(line, flags);
  if (flags.model.empty() || flags.plan.empty()) {
    return Status(StatusCode::kInvalidArgument,
                  "give a job (--job), or files (--model and --plan)");
  }
  FED_ASSIGN_OR_RETURN(const std::string text,
                       ReadFile(FileSystem::Real(), flags.plan, kMaxPlanBytes));
  FED_ASSIGN_OR_RETURN(const ModelPlan plan, ParseModelPlan(text, flags.plan));
  return Predictor::Load(plan, flags.model);
}

StatusOr<std::unique_ptr<Dataset>> LoadData(const PredictFlags& flags) {
  if (!flags.csv.empty()) return LoadCsvDataset(flags.csv);
  if (flags.data.empty()) {
    return Status(StatusCode::kInvalidArgument, "give examples: --data or --csv");
  }
  return LoadIdxFolder(flags.data, IdxSplit::kTest);
}

struct Examples {
  std::vector<std::int64_t> shape;  // of one
  std::vector<float> features, targets;
  std::int64_t count = 0;
  std::size_t size() const { return features.size() / static_cast<std::size_t>(count); }
};

StatusOr<Examples> Take(const Dataset& data, const PredictFlags& flags) {
  if (flags.first < 0 || flags.count < 1 || flags.first + flags.count > data.size()) {
    return Status(StatusCode::kInvalidArgument,
                  absl::StrCat("examples ", flags.first, " to ", flags.first + flags.count - 1,
                               " asked for; there are ", data.size()));
  }
  Examples examples;
  examples.shape = data.example_shape();
  examples.count = flags.count;
  const std::int64_t values = std::accumulate(examples.shape.begin(), examples.shape.end(),
                                              std::int64_t{1}, std::multiplies<>());
  examples.features.resize(static_cast<std::size_t>(flags.count * values));
  examples.targets.resize(static_cast<std::size_t>(flags.count * data.target_values()));
  std::vector<std::int64_t> indices(static_cast<std::size_t>(flags.count));
  std::iota(indices.begin(), indices.end(), flags.first);
  data.Gather(indices, examples.features, examples.targets);
  return examples;
}

void DrawAll(const Examples& examples, const std::vector<Prediction>& predictions,
             const Output& output) {
  const int rows = static_cast<int>(examples.shape[0]),
            columns = static_cast<int>(examples.shape[1]);
  const bool color = isatty(STDOUT_FILENO) != 0;
  const auto width = static_cast<std::size_t>(std::max(DrawnWidth(columns), 12));
  for (std::size_t begin = 0; begin < predictions.size(); begin += kPicturesPerLine) {
    const std::size_t end = std::min(predictions.size(), begin + kPicturesPerLine);
    std::vector<std::string> lines;
    std::string captions, verdicts;
    for (std::size_t i = begin; i < end; ++i) {
      const absl::Span<const float> image(&examples.features[i * examples.size()], examples.size());
      const std::vector<std::string> drawn = Draw(image, rows, columns, color);
      lines.resize(drawn.size());
      const std::string gap(width - static_cast<std::size_t>(DrawnWidth(columns)) + 2, ' ');
      for (std::size_t l = 0; l < drawn.size(); ++l) absl::StrAppend(&lines[l], drawn[l], gap);
      const Prediction& one = predictions[i];
      absl::StrAppend(&captions,
                      absl::StrFormat("%-*s", width + 2,
                                      absl::StrCat("says ", one.predicted, ", is ", one.truth)));
      absl::StrAppend(
          &verdicts,
          absl::StrFormat("%-*s", width + 2,
                          absl::StrFormat("%.0f%% %s", 100 * one.probability,
                                          one.predicted == one.truth ? "right" : "WRONG")));
    }
    for (const std::string& text : lines) output.Print(text);
    output.Print(captions);
    output.Print(absl::StrCat(verdicts, "\n"));
  }
}

void ShowTable(const std::vector<Prediction>& predictions, const Output& output) {
  Table table({">EXAMPLE", ">PREDICTED", ">PROBABILITY", ">TRUE", ""});
  for (const Prediction& one : predictions) {
    table.AddRow({absl::StrCat(one.example), absl::StrCat(one.predicted),
                  absl::StrFormat("%.3f", one.probability), absl::StrCat(one.truth),
                  one.predicted == one.truth ? "" : "wrong"});
  }
  output.Print(table.Text());
}

void ShowJson(const std::vector<Prediction>& predictions, const Output& output) {
  std::string text = "{\"predictions\":[";
  for (std::size_t i = 0; i < predictions.size(); ++i) {
    const Prediction& one = predictions[i];
    absl::StrAppend(&text, i == 0 ? "" : ",", "{\"example\":", one.example,
                    ",\"predicted\":", one.predicted, ",\"probability\":", one.probability,
                    ",\"true\":", one.truth, "}");
  }
  output.Print(absl::StrCat(text, "]}"));
}

Status Predict(CommandLine& line, const PredictFlags& flags) {
  FED_ASSIGN_OR_RETURN(const auto data, LoadData(flags));
  FED_ASSIGN_OR_RETURN(const auto predictor, MakePredictor(line, flags));
  FED_ASSIGN_OR_RETURN(const Examples examples, Take(*data, flags));
  FED_ASSIGN_OR_RETURN(const std::vector<float> outputs, predictor->Predict(examples.features));
  const std::vector<std::int64_t> classes = ArgMax(outputs, predictor->output_values());
  std::vector<Prediction> predictions;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const auto at = static_cast<std::size_t>(predictor->output_values()) * i;
    predictions.push_back({flags.first + static_cast<std::int64_t>(i), classes[i],
                           outputs[at + static_cast<std::size_t>(classes[i])],
                           static_cast<std::int64_t>(examples.targets[i])});
  }
  if (line.output.json) {
    ShowJson(predictions, line.output);
  } else if (flags.draw && examples.shape.size() == 2) {
    DrawAll(examples, predictions, line.output);
  } else {
    ShowTable(predictions, line.output);
  }
  return Status();
}

}  // namespace

void AddPredictCommand(CommandLine& line) {
  auto flags = std::make_shared<PredictFlags>();
  CLI::App* const predict =
      AddCommand(line, line.app, "predict", "what a merged classifier says of examples",
                 [&line, flags] { return Predict(line, *flags); });
  predict->add_option("--job", flags->choice.job, "take the job's newest version from the server");
  predict->add_option("--version", flags->choice.version, "or this version of it");
  predict->add_option("--model", flags->model, "a safetensors file instead, with --plan");
  predict->add_option("--plan", flags->plan, "its model plan");
  predict->add_option("--data", flags->data, "folder of IDX files; the test images are taken");
  predict->add_option("--csv", flags->csv, "or a CSV file with the class in its last column");
  predict->add_option("--first", flags->first, "first example")->capture_default_str();
  predict->add_option("--count", flags->count, "how many")->capture_default_str();
  predict->add_flag("--draw", flags->draw, "draw the images");
}

}  // namespace fed::server
