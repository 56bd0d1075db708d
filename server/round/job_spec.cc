// Reads job.toml section by section, fills in what follows from other keys, and refuses what can't
// go together.
#include "server/round/job_spec.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/limits.h"
#include "server/round/job_keys.h"
#include "server/round/toml_table.h"

namespace fed::server {
namespace {

constexpr char kLearningRate[] = "learning_rate";

std::optional<Value> ReadValue(const toml::node& node) {
  if (const auto flag = node.value_exact<bool>()) return Value(*flag);
  if (const auto whole = node.value_exact<std::int64_t>()) return Value(*whole);
  if (const auto real = node.value_exact<double>(); real && std::isfinite(*real))
    return Value(*real);
  if (const auto text = node.value_exact<std::string>()) return Value(*text);
  return std::nullopt;
}

// By squaring: products alone, so that it is equal on every machine, which no pow promises.
double Power(double base, std::int64_t exponent) {
  double power = 1.0;
  for (; exponent > 0; exponent /= 2, base *= base) {
    if (exponent % 2 == 1) power *= base;
  }
  return power;
}

// One parse of one file.
class Reader {
 public:
  Reader(const toml::table& root, absl::string_view source) : root_(root), source_(source) {}

  StatusOr<JobSpec> Read() {
    FED_RETURN_IF_ERROR(ReadSections());
    FED_RETURN_IF_ERROR(ReadGroups());
    FED_RETURN_IF_ERROR(ReadTraining());
    FED_RETURN_IF_ERROR(RequireKeys());
    FillIn();
    FED_RETURN_IF_ERROR(CheckRounds());
    FED_RETURN_IF_ERROR(CheckTimes());
    FED_RETURN_IF_ERROR(CheckGroups());
    FED_RETURN_IF_ERROR(CheckTraining());
    return std::move(spec_);
  }

 private:
  Status ReadSections() {
    FED_RETURN_IF_ERROR(
        ReadSection<JobSpec>(root_, {source_, ""}, TopKeys(), spec_, JobSections()));
    FED_RETURN_IF_ERROR(ReadTable("model", ModelKeys(), spec_.model));
    FED_RETURN_IF_ERROR(ReadTable("schedule", ScheduleKeys(), spec_));
    FED_RETURN_IF_ERROR(ReadTable("rounds", RoundsKeys(), spec_.rounds));
    FED_RETURN_IF_ERROR(ReadTable("evaluation", EvaluationKeys(), spec_.evaluation));
    FED_RETURN_IF_ERROR(ReadTable("retention", RetentionKeys(), spec_.retention));
    FED_RETURN_IF_ERROR(ReadTable("allow", AllowKeys(), spec_.allow));
    return ReadTable("limits", LimitsKeys(), spec_);
  }

  // [strategy] is two things in one: the strategy's name, and how "delta" moves the model.
  Status ReadGroups() {
    GroupSpec delta;
    delta.name = "delta";
    FED_ASSIGN_OR_RETURN(const toml::table* strategy, Table("strategy"));
    if (strategy != nullptr) {
      static constexpr absl::string_view kName[] = {"name"};
      std::vector<absl::string_view> of_group;
      for (const auto& key : GroupKeys()) of_group.push_back(key.name);
      FED_RETURN_IF_ERROR(
          ReadSection<GroupSpec>(*strategy, {source_, "strategy"}, GroupKeys(), delta, kName));
      FED_RETURN_IF_ERROR(
          ReadSection<JobSpec>(*strategy, {source_, "strategy"}, StrategyKeys(), spec_, of_group));
    }
    spec_.groups = {delta};
    const toml::node* groups = root_.get("group");
    if (groups == nullptr) return Status();
    if (!groups->is_array_of_tables()) return At(*groups, "write [[group]], in double brackets");
    for (const toml::node& node : *groups->as_array()) {
      GroupSpec group = delta;
      group.name.clear();
      FED_RETURN_IF_ERROR(
          ReadSection<GroupSpec>(*node.as_table(), {source_, "group"}, FurtherGroupKeys(), group));
      if (group.name.empty()) return At(node, "[[group]] needs a 'name'");
      for (const GroupSpec& other : spec_.groups) {
        if (other.name != group.name) continue;
        return At(node, absl::StrCat("two groups of one name: '", group.name, "'"));
      }
      spec_.groups.push_back(std::move(group));
    }
    return Status();
  }

  // Names are the trainer's own.
  Status ReadTraining() {
    FED_ASSIGN_OR_RETURN(const toml::table* training, Table("training"));
    if (training == nullptr) return Status();
    for (const auto& [name, node] : InOrder(*training)) {
      const std::optional<Value> value = ReadValue(*node);
      if (!value) {
        return At(*node,
                  absl::StrCat("'", name, "' in [training] must be a finite number, a text, ",
                               "true or false"));
      }
      spec_.training.emplace(std::string(name), *value);
    }
    return Status();
  }

  Status RequireKeys() const {
    if (spec_.id.value.empty()) return TomlError(source_, 0, "'id' is missing at the top");
    if (spec_.model.plan.empty() && spec_.model.file.empty()) {
      return Missing("model", "'plan' or 'file'");
    }
    if (!Has("rounds", "count")) return Missing("rounds", "'count'");
    if (!Has("rounds", "cohort")) return Missing("rounds", "'cohort'");
    return Status();
  }

  // Defaults that follow from other keys.
  void FillIn() {
    RoundsSpec& rounds = spec_.rounds;
    if (!Has("rounds", "min_updates")) rounds.min_updates = rounds.cohort;
    if (!Has("rounds", "pool_min")) rounds.pool_min = rounds.places();
    if (!Has("rounds", "client_time_limit")) rounds.client_time_limit = rounds.time_limit;
    if (!Has("rounds", "lease")) rounds.lease = 3 * rounds.renew_every;
    if (!Has("rounds", "backoff_longest")) {
      rounds.backoff_longest = std::max(rounds.backoff_longest, rounds.backoff_first);
    }
  }

  Status CheckRounds() const {
    const RoundsSpec& rounds = spec_.rounds;
    if (rounds.min_updates > rounds.cohort) {
      return Clash("rounds", "min_updates",
                   absl::StrCat("must not be above the cohort: ", rounds.min_updates, " of ",
                                rounds.cohort));
    }
    if (rounds.pool_min < rounds.min_updates) {
      return Clash("rounds", "pool_min",
                   absl::StrCat("must not be below min_updates: a draw from ", rounds.pool_min,
                                " devices can't give ", rounds.min_updates, " updates"));
    }
    return Status();
  }

  Status CheckTimes() const {
    const RoundsSpec& rounds = spec_.rounds;
    if (rounds.client_time_limit > rounds.time_limit) {
      return Clash("rounds", "client_time_limit", "must not be above the round's time_limit");
    }
    const bool renews = rounds.renew_every > absl::ZeroDuration();
    if (renews && rounds.lease < 2 * rounds.renew_every) {
      return Clash("rounds", "lease",
                   "must be at least twice renew_every, so that one lost renewal costs nothing");
    }
    if (!renews && rounds.lease > absl::ZeroDuration()) {
      return Clash("rounds", "lease", "can't be kept without renewals: renew_every is 0");
    }
    if (rounds.backoff_longest < rounds.backoff_first) {
      return Clash("rounds", "backoff_longest", "must not be below backoff_first");
    }
    return Status();
  }

  Status CheckGroups() const {
    if (spec_.groups.size() <= static_cast<std::size_t>(kMaxGroups)) return Status();
    return At(*root_.get("group"), absl::StrCat("more than ", kMaxGroups, " groups"));
  }

  Status CheckTraining() const {
    if (spec_.learning_rate_decay == 1.0) return Status();
    const auto rate = spec_.training.find(kLearningRate);
    if (rate != spec_.training.end() && (std::holds_alternative<double>(rate->second) ||
                                         std::holds_alternative<std::int64_t>(rate->second))) {
      return Status();
    }
    return Clash("schedule", "learning_rate_decay", "needs a number 'learning_rate' in [training]");
  }

  // Null if the file does not have it.
  StatusOr<const toml::table*> Table(absl::string_view section) const {
    const toml::node* node = root_.get(std::string_view(section.data(), section.size()));
    if (node == nullptr || node->is_table()) return node == nullptr ? nullptr : node->as_table();
    return At(*node, absl::StrCat("'", section, "' must be a section: [", section, "]"));
  }

  template <typename T>
  Status ReadTable(absl::string_view section, const std::vector<TomlKey<T>>& keys, T& out) const {
    FED_ASSIGN_OR_RETURN(const toml::table* table, Table(section));
    if (table == nullptr) return Status();
    return ReadSection<T>(*table, {source_, section}, keys, out);
  }

  const toml::node* Find(std::string_view section, std::string_view key) const {
    const toml::node* table = root_.get(section);
    return table == nullptr || !table->is_table() ? nullptr : table->as_table()->get(key);
  }
  bool Has(std::string_view section, std::string_view key) const {
    return Find(section, key) != nullptr;
  }

  Status At(const toml::node& node, absl::string_view what) const {
    return TomlError(source_, LineOf(node), what);
  }
  Status Missing(const char* section, absl::string_view what) const {
    const toml::node* table = root_.get(section);
    return TomlError(source_, table == nullptr ? 0 : LineOf(*table),
                     absl::StrCat(what, " is missing in [", section, "]"));
  }
  // At the key, or at its section if the value is a default.
  Status Clash(const char* section, const char* key, absl::string_view what) const {
    const toml::node* node = Has(section, key) ? Find(section, key) : root_.get(section);
    return At(*node, absl::StrCat("'", key, "' in [", section, "] ", what));
  }

  const toml::table& root_;
  absl::string_view source_;
  JobSpec spec_;
};

}  // namespace

int RoundsSpec::places() const {
  constexpr double kSlack = 1e-9;  // 100 * 1.1 is a little more than 110
  return std::max(cohort, static_cast<int>(std::ceil(cohort * over_selection - kSlack)));
}

StatusOr<JobSpec> ParseJobSpec(absl::string_view toml, absl::string_view source) {
  FED_ASSIGN_OR_RETURN(const toml::table root, ParseToml(toml, source));
  return Reader(root, source).Read();
}

std::map<std::string, Value> ConfigOfRound(const JobSpec& spec, RoundId round) {
  std::map<std::string, Value> config = spec.training;
  const auto at = config.find(kLearningRate);
  if (at == config.end()) return config;
  if (const auto* whole = std::get_if<std::int64_t>(&at->second)) {
    at->second = static_cast<double>(*whole);
  }
  if (auto* rate = std::get_if<double>(&at->second)) {
    *rate *= Power(spec.learning_rate_decay, round.value - 1);
  }
  return config;
}

}  // namespace fed::server
