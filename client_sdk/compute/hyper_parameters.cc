// The table of hyper-parameters with their ranges.
#include "client_sdk/compute/hyper_parameters.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/tensor/closest_name.h"

namespace fed::client {
namespace {

struct WholeRule {
  absl::string_view name;
  std::int64_t least, most;
  std::int64_t HyperParameters::*field;
};
constexpr WholeRule kWholes[] = {
    {"epochs", 1, kMaxEpochs, &HyperParameters::epochs},
    {"steps", 1, kMaxSteps, &HyperParameters::steps},
    {"batch_size", 0, kMaxBatchSize, &HyperParameters::batch_size},
};

struct NumberRule {
  absl::string_view name;
  absl::string_view range;
  bool (*in_range)(double value);
  double HyperParameters::*field;
};
constexpr NumberRule kNumbers[] = {
    {"learning_rate", "above 0, at most 1e6", [](double v) { return v > 0 && v <= 1e6; },
     &HyperParameters::learning_rate},
    {"momentum", "from 0, below 1", [](double v) { return v >= 0 && v < 1; },
     &HyperParameters::momentum},
    {"weight_decay", "from 0 to 1e6", [](double v) { return v >= 0 && v <= 1e6; },
     &HyperParameters::weight_decay},
};

Status Invalid(absl::string_view message) {
  return Status(StatusCode::kInvalidArgument, absl::StrCat("hyper-parameter ", message));
}

Status Set(const WholeRule& rule, const Value& value, HyperParameters& parameters) {
  const std::int64_t* whole = std::get_if<std::int64_t>(&value);
  if (whole == nullptr || *whole < rule.least || *whole > rule.most) {
    return Invalid(absl::StrCat("'", rule.name, "' is ", ToString(value),
                                ": expected a whole number from ", rule.least, " to ", rule.most));
  }
  parameters.*rule.field = *whole;
  return Status();
}

Status Set(const NumberRule& rule, const Value& value, HyperParameters& parameters) {
  double number = std::nan("");  // no rule takes it
  if (const double* given = std::get_if<double>(&value)) number = *given;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) number = static_cast<double>(*whole);
  if (!rule.in_range(number)) {
    return Invalid(
        absl::StrCat("'", rule.name, "' is ", ToString(value), ": expected a number ", rule.range));
  }
  parameters.*rule.field = number;
  return Status();
}

Status SetByName(const std::string& name, const Value& value, HyperParameters& parameters) {
  std::vector<absl::string_view> known;
  for (const WholeRule& rule : kWholes) {
    if (rule.name == name) return Set(rule, value, parameters);
    known.push_back(rule.name);
  }
  for (const NumberRule& rule : kNumbers) {
    if (rule.name == name) return Set(rule, value, parameters);
    known.push_back(rule.name);
  }
  return Invalid(absl::StrCat("is unknown: ", UnknownName(name, known)));
}

}  // namespace

StatusOr<HyperParameters> ReadHyperParameters(const TrainConfig& config) {
  HyperParameters parameters;
  for (const auto& [name, value] : config) {
    FED_RETURN_IF_ERROR(SetByName(name, value, parameters));
  }
  if (config.count("learning_rate") == 0) {
    return Invalid("'learning_rate' is missing: expected a number above 0, at most 1e6");
  }
  if (config.count("steps") != 0) {
    if (config.count("epochs") != 0) return Invalid("'epochs' and 'steps' exclude each other");
    parameters.epochs = 0;
  }
  return parameters;
}

}  // namespace fed::client
