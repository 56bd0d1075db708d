// fedctl train: the same model trained centrally on pooled data, without a server: the baseline.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "client_sdk/data/idx_folder.h"
#include "common/base/file.h"
#include "common/tensor/safetensors.h"
#include "fed/dataset.h"
#include "fed/trainer.h"
#include "server/cli/command_line.h"

namespace fed::server {
namespace {

constexpr std::int64_t kMaxPlanBytes = 1 << 20;

struct TrainFlags {
  std::string plan;
  std::string data;  // folder of IDX files; or:
  std::string csv, test_csv;
  std::string out;
  std::int64_t epochs = 1;
  std::uint64_t seed = 0;
  std::vector<std::string> settings;  // name=value
};

// As TOML would read it: true, 10, 0.5, text.
Value ParseValue(const std::string& text) {
  std::int64_t whole = 0;
  double real = 0;
  if (text == "true" || text == "false") return text == "true";
  if (absl::SimpleAtoi(text, &whole)) return whole;
  if (absl::SimpleAtod(text, &real)) return real;
  return text;
}

StatusOr<TrainConfig> ParseSettings(const std::vector<std::string>& settings) {
  TrainConfig config;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Status(StatusCode::kInvalidArgument,
                    absl::StrCat("--set '", setting, "' is not of the form name=value"));
    }
    config[setting.substr(0, equals)] = ParseValue(setting.substr(equals + 1));
  }
  return config;
}

struct Data {
  std::unique_ptr<Dataset> train, test;  // test may be null
};

StatusOr<Data> LoadData(const TrainFlags& flags) {
  Data data;
  if (!flags.csv.empty()) {
    FED_ASSIGN_OR_RETURN(data.train, LoadCsvDataset(flags.csv));
    if (!flags.test_csv.empty()) {
      FED_ASSIGN_OR_RETURN(data.test, LoadCsvDataset(flags.test_csv));
    }
    return data;
  }
  if (flags.data.empty()) {
    return Status(StatusCode::kInvalidArgument, "give examples: --data or --csv");
  }
  FED_ASSIGN_OR_RETURN(data.train, LoadIdxFolder(flags.data, IdxSplit::kTrain));
  FED_ASSIGN_OR_RETURN(data.test, LoadIdxFolder(flags.data, IdxSplit::kTest));
  return data;
}

struct Epoch {
  std::int64_t number = 0;
  double train_loss = 0;
  std::map<std::string, double> test;
};

void Show(const Epoch& epoch, const Output& output) {
  const auto test = [&](const char* name) {
    const auto found = epoch.test.find(name);
    return found == epoch.test.end() ? std::string("-") : absl::StrFormat("%.4f", found->second);
  };
  if (output.json) {
    output.Print(
        absl::StrFormat("{\"epoch\":%d,\"train_loss\":%.17g,\"test_loss\":%s,\"test_accuracy\":%s}",
                        epoch.number, epoch.train_loss, test("loss") == "-" ? "null" : test("loss"),
                        test("accuracy") == "-" ? "null" : test("accuracy")));
    return;
  }
  if (epoch.number == 1) output.Print("epoch  train loss  test loss  test accuracy");
  output.Print(absl::StrFormat("%5d  %10.4f  %9s  %13s", epoch.number, epoch.train_loss,
                               test("loss"), test("accuracy")));
}

// An epoch a call, so that each is evaluated; the optimizer's momentum begins anew with each.
Status Train(const TrainFlags& flags, const Output& output) {
  FileSystem& files = FileSystem::Real();
  FED_ASSIGN_OR_RETURN(const std::string text, ReadFile(files, flags.plan, kMaxPlanBytes));
  FED_ASSIGN_OR_RETURN(const ModelPlan plan, ParseModelPlan(text, flags.plan));
  FED_ASSIGN_OR_RETURN(TrainConfig config, ParseSettings(flags.settings));
  FED_ASSIGN_OR_RETURN(const Data data, LoadData(flags));
  FED_ASSIGN_OR_RETURN(const auto trainer, NewNativeTrainer(plan, *data.train));
  std::unique_ptr<Trainer> tester;
  if (data.test != nullptr) {
    FED_ASSIGN_OR_RETURN(tester, NewNativeTrainer(plan, *data.test));
  }
  FED_ASSIGN_OR_RETURN(Parameters model, Initialize(plan, flags.seed));
  config["epochs"] = std::int64_t{1};
  for (Epoch epoch{1, 0, {}}; epoch.number <= flags.epochs; ++epoch.number) {
    TrainContext context;
    context.seed = flags.seed + static_cast<std::uint64_t>(epoch.number);
    FED_ASSIGN_OR_RETURN(TrainResult result, trainer->Train(model, config, context));
    model = std::move(result.parameters);
    epoch.train_loss = result.scalars["loss"];
    if (tester != nullptr) {
      FED_ASSIGN_OR_RETURN(epoch.test, tester->Evaluate(model, config, context));
    }
    Show(epoch, output);
  }
  if (!flags.out.empty()) FED_RETURN_IF_ERROR(SaveSafetensors(files, flags.out, model));
  return Status();
}

}  // namespace

void AddTrainCommand(CommandLine& line) {
  auto flags = std::make_shared<TrainFlags>();
  CLI::App* const train =
      AddCommand(line, line.app, "train", "trains a plan on pooled data here, without a server",
                 [&line, flags] { return Train(*flags, line.output); });
  train->add_option("--local", flags->plan, "the model plan")->required();
  train->add_option("--data", flags->data, "folder of IDX files, train and t10k");
  train->add_option("--csv", flags->csv, "or a CSV file with the target in its last column");
  train->add_option("--test-csv", flags->test_csv, "and one to test with");
  train->add_option("--epochs", flags->epochs, "passes over the data")->capture_default_str();
  train->add_option("--seed", flags->seed, "of the first values and of the batches")
      ->capture_default_str();
  train->add_option("--set", flags->settings,
                    "hyper-parameters as name=value: learning_rate=0.05 batch_size=10");
  train->add_option("--out,-o", flags->out, "safetensors file for the trained model");
}

}  // namespace fed::server
