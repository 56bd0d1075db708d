// Each key with its range.
#include "server/round/job_keys.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "common/base/limits.h"
#include "common/codec/codec.h"

namespace fed::server {
namespace {

constexpr int kMostClients = 1'000'000;
constexpr absl::Duration kShortest = absl::Milliseconds(10);
constexpr absl::Duration kLongest = absl::Hours(24 * 30);

bool IsName(absl::string_view name, absl::string_view marks) {
  return name.size() <= static_cast<std::size_t>(kMaxJobNameBytes) &&
         std::all_of(name.begin(), name.end(), [&](char c) {
           return absl::ascii_islower(c) || absl::ascii_isdigit(c) || absl::StrContains(marks, c);
         });
}

bool ReadJobName(const toml::node& node, JobSpec& spec) {
  return ReadText(node, spec.id.value) && IsName(spec.id.value, "-");
}

// "delta" moves "model", so neither can be the name of a further group.
bool ReadGroupName(const toml::node& node, GroupSpec& group) {
  return ReadText(node, group.name) && IsName(group.name, "-_") && group.name != "delta" &&
         group.name != "model";
}

bool ReadBest(const toml::node& node, RetentionSpec& retention) {
  const auto text = node.value_exact<std::string>();
  if (!text || *text == "-") return false;
  retention.best = *text;
  return true;
}

bool ReadCodecs(const toml::node& node, JobSpec& spec) {
  if (!ReadTexts(node, spec.codecs) || spec.codecs.empty()) return false;
  return std::all_of(spec.codecs.begin(), spec.codecs.end(),
                     [](const std::string& name) { return FindCodec(name).ok(); });
}

bool ReadWeighting(const toml::node& node, GroupSpec& group) {
  return ReadText(node, group.weighting) &&
         (group.weighting == "examples" || group.weighting == "uniform");
}

// "client" and "leaf" send updates; no other role may.
bool ReadRoles(const toml::node& node, AllowSpec& allow) {
  std::vector<std::string> names;
  if (!ReadTexts(node, names) || names.empty()) return false;
  allow.roles.clear();
  for (const std::string& name : names) {
    const StatusOr<Role> role = RoleFromName(name);
    if (!role.ok() || (*role != Role::kClient && *role != Role::kLeaf)) return false;
    allow.roles.push_back(*role);
  }
  return true;
}

bool ReadLabels(const toml::node& node, AllowSpec& allow) {
  const toml::table* labels = node.as_table();
  if (labels == nullptr || labels->size() > static_cast<std::size_t>(kMaxLabels)) return false;
  for (const auto& [name, value] : *labels) {
    if (!ReadText(value, allow.labels[std::string(name.str())])) return false;
  }
  return true;
}

template <typename T>
void List(absl::string_view section, const std::vector<TomlKey<T>>& keys,
          std::vector<JobKey>& out) {
  for (const TomlKey<T>& key : keys) out.push_back({section, key.name, key.expected});
}

}  // namespace

absl::Span<const absl::string_view> JobSections() {
  static constexpr absl::string_view kSections[] = {
      "model",  "strategy",   "group",     "training", "schedule",
      "rounds", "evaluation", "retention", "allow",    "limits"};
  return kSections;
}

std::vector<TomlKey<JobSpec>> TopKeys() {
  return {{"id", "a name of a-z, 0-9 and '-', at most 63 characters", ReadJobName},
          {"codecs", "a list of codecs that this server has (fp32), best first", ReadCodecs}};
}

std::vector<TomlKey<ModelSpec>> ModelKeys() {
  const auto patterns = [](absl::string_view name, std::vector<std::string> RolePatterns::*list) {
    return TomlKey<ModelSpec>{name, "a list of name patterns, none of them empty",
                              [=](const toml::node& node, ModelSpec& model) {
                                return ReadTexts(node, model.patterns.*list);
                              }};
  };
  return {Text("plan", &ModelSpec::plan), Text("file", &ModelSpec::file),
          Seed("seed", &ModelSpec::seed), patterns("frozen", &RolePatterns::frozen),
          patterns("local", &RolePatterns::local)};
}

std::vector<TomlKey<JobSpec>> StrategyKeys() { return {Text("name", &JobSpec::strategy)}; }

std::vector<TomlKey<GroupSpec>> GroupKeys() {
  return {Text("aggregator", &GroupSpec::aggregator),
          {"weighting", "\"examples\" or \"uniform\"", ReadWeighting},
          Text("optimizer", &GroupSpec::optimizer),
          Real("server_learning_rate", &GroupSpec::server_learning_rate, 1e-9, 1e6)};
}

std::vector<TomlKey<GroupSpec>> FurtherGroupKeys() {
  std::vector<TomlKey<GroupSpec>> keys = GroupKeys();
  keys.insert(keys.begin(), {"name", "a name of a-z, 0-9, '-' and '_', not \"delta\" or \"model\"",
                             ReadGroupName});
  return keys;
}

std::vector<TomlKey<JobSpec>> ScheduleKeys() {
  return {Real("learning_rate_decay", &JobSpec::learning_rate_decay, 1e-6, 1.0)};
}

std::vector<TomlKey<RoundsSpec>> RoundsKeys() {
  using R = RoundsSpec;
  const auto time = [](absl::string_view name, absl::Duration R::*member) {
    return Duration(name, member, kShortest, kLongest);
  };
  return {
      WholeNumber<R, std::int64_t>("count", &R::count, 1, 1'000'000'000),
      WholeNumber("cohort", &R::cohort, 1, kMostClients),
      Real("over_selection", &R::over_selection, 1.0, 10.0),
      WholeNumber("min_updates", &R::min_updates, 1, kMostClients),
      time("time_limit", &R::time_limit),
      time("client_time_limit", &R::client_time_limit),
      Duration("renew_every", &R::renew_every, absl::ZeroDuration(), kLongest),
      Duration("lease", &R::lease, absl::ZeroDuration(), kLongest),
      WholeNumber("pool_min", &R::pool_min, 1, kMostClients),
      time("selection_timeout", &R::selection_timeout),
      WholeNumber("max_failed", &R::max_failed, 1, 1'000'000),
      time("backoff_first", &R::backoff_first),
      time("backoff_longest", &R::backoff_longest),
      Seed("seed", &R::seed),
  };
}

std::vector<TomlKey<EvaluationSpec>> EvaluationKeys() {
  return {WholeNumber("every", &EvaluationSpec::every, 0, 1'000'000),
          Duration("timeout", &EvaluationSpec::timeout, kShortest, kLongest)};
}

std::vector<TomlKey<RetentionSpec>> RetentionKeys() {
  return {WholeNumber("last", &RetentionSpec::last, 1, 1'000'000),
          WholeNumber("every", &RetentionSpec::every, 0, 1'000'000),
          {"best", "the name of a scalar in quotes, \"-\" before it for the lowest, or \"\"",
           ReadBest}};
}

std::vector<TomlKey<AllowSpec>> AllowKeys() {
  return {{"roles", "a list of roles that train: \"client\", \"leaf\"", ReadRoles},
          {"labels", "a table of at most 32 texts", ReadLabels}};
}

std::vector<TomlKey<JobSpec>> LimitsKeys() {
  return {Real("max_update_norm", &JobSpec::max_update_norm, 0.0, 1e30),
          WholeNumber<JobSpec, std::int64_t>("max_examples", &JobSpec::max_examples, 1,
                                             1'000'000'000'000)};
}

std::vector<JobKey> AllJobKeys() {
  std::vector<JobKey> all;
  List("", TopKeys(), all);
  List("model", ModelKeys(), all);
  List("strategy", StrategyKeys(), all);
  List("strategy", GroupKeys(), all);
  List("group", FurtherGroupKeys(), all);
  List("schedule", ScheduleKeys(), all);
  List("rounds", RoundsKeys(), all);
  List("evaluation", EvaluationKeys(), all);
  List("retention", RetentionKeys(), all);
  List("allow", AllowKeys(), all);
  List("limits", LimitsKeys(), all);
  return all;
}

}  // namespace fed::server
