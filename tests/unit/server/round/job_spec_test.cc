// job.toml: what is read, what is refused and how it is said, and that the sample has it all.
#include "server/round/job_spec.h"

#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/round/job_keys.h"
#include "tests/testing/status_matchers.h"

namespace fed::server {
namespace {

using ::fed::testing::StatusIs;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kMinimal[] = R"(id = "j"
[model]
plan = "mlp.toml"
[rounds]
count = 3
cohort = 10
)";

JobSpec Parsed(absl::string_view text) {
  StatusOr<JobSpec> spec = ParseJobSpec(text, "job.toml");
  EXPECT_TRUE(spec.ok()) << spec.status().message();
  return spec.ok() ? *spec : JobSpec();
}

std::string Message(absl::string_view text) {
  const StatusOr<JobSpec> spec = ParseJobSpec(text, "job.toml");
  EXPECT_THAT(spec, StatusIs(StatusCode::kInvalidArgument)) << text;
  return spec.status().message();
}

std::string Sample() {
  std::ifstream file(FED_SAMPLE_JOB);
  EXPECT_TRUE(file.good()) << FED_SAMPLE_JOB;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(JobSpecTest, FillsInWhatFollowsFromTheCohort) {
  const JobSpec spec = Parsed(absl::StrCat(kMinimal, "over_selection = 1.1\ntime_limit = \"3m\""));
  EXPECT_EQ(spec.id, JobId{"j"});
  EXPECT_EQ(spec.strategy, "fedavg");
  EXPECT_EQ(spec.rounds.places(), 11);
  EXPECT_EQ(spec.rounds.min_updates, 10);
  EXPECT_EQ(spec.rounds.pool_min, 11);
  EXPECT_EQ(spec.rounds.client_time_limit, absl::Minutes(3));
  EXPECT_EQ(spec.rounds.lease, absl::Seconds(15));
  ASSERT_THAT(spec.groups, SizeIs(1));
  EXPECT_EQ(spec.groups[0].name, "delta");
  EXPECT_EQ(spec.groups[0].version_group(), "model");
  EXPECT_THAT(spec.codecs, ElementsAre("fp32"));
  EXPECT_THAT(spec.allow.roles, ElementsAre(Role::kClient));
}

TEST(JobSpecTest, PlacesAreNotOneTooManyByRounding) {
  RoundsSpec rounds;
  const auto places = [&](int cohort, double factor) {
    rounds.cohort = cohort;
    rounds.over_selection = factor;
    return rounds.places();
  };
  EXPECT_EQ(places(100, 1.1), 110);
  EXPECT_EQ(places(10, 1.3), 13);
  EXPECT_EQ(places(3, 1.5), 5);
  EXPECT_EQ(places(7, 1.0), 7);
}

TEST(JobSpecTest, ReadsTheSample) {
  const JobSpec spec = Parsed(Sample());
  EXPECT_EQ(spec.id, JobId{"fashion"});
  EXPECT_EQ(spec.model.plan, "mlp.toml");
  EXPECT_EQ(spec.model.seed, 1u);
  EXPECT_EQ(spec.rounds.count, 200);
  EXPECT_EQ(spec.rounds.places(), 39);
  EXPECT_EQ(spec.rounds.client_time_limit, absl::Minutes(2));
  EXPECT_EQ(spec.learning_rate_decay, 0.99);
  ASSERT_THAT(spec.groups, SizeIs(2));
  EXPECT_EQ(spec.groups[1].name, "control");
  EXPECT_EQ(spec.groups[1].version_group(), "control");
  EXPECT_EQ(spec.groups[1].server_learning_rate, 0.5);
  EXPECT_EQ(spec.groups[0].server_learning_rate, 1.0);
  EXPECT_EQ(spec.training.at("epochs"), Value(std::int64_t{1}));
  EXPECT_EQ(spec.training.at("learning_rate"), Value(0.05));
}

// Keys by section, as the sample has them, with whether a comment stands above.
std::map<std::string, bool> Documented(const std::string& sample) {
  std::map<std::string, bool> keys;
  std::string section;
  bool comment_above = false;
  for (absl::string_view line : absl::StrSplit(sample, '\n')) {
    if (absl::StartsWith(line, "[")) {
      section = absl::StrReplaceAll(line, {{"[", ""}, {"]", ""}});
      comment_above = false;
      continue;
    }
    const bool is_comment = absl::ConsumePrefix(&line, "# ");
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(" = ", 1));
    if (parts.size() == 2 && !absl::StrContains(parts[0], ' ')) {
      keys[absl::StrCat(section, ".", parts[0])] = comment_above;
      comment_above = false;
    } else {
      comment_above = is_comment;
    }
  }
  return keys;
}

TEST(JobSpecTest, TheSampleDocumentsEveryKeyAndNoOther) {
  std::map<std::string, bool> documented = Documented(Sample());
  for (const JobKey& key : AllJobKeys()) {
    const std::string name = absl::StrCat(key.section, ".", key.name);
    ASSERT_TRUE(documented.contains(name)) << name << " is not in the sample";
    EXPECT_TRUE(documented[name]) << name << " has no comment above it";
    documented.erase(name);
  }
  for (const auto& [name, comment] : documented) {
    EXPECT_TRUE(absl::StartsWith(name, "training.")) << name << " is no key";
  }
}

// What the sample shows as defaults is what is meant by leaving it out.
TEST(JobSpecTest, TheSamplesDefaultsAreTheDefaults) {
  std::string with;
  for (absl::string_view line : absl::StrSplit(Sample(), '\n')) {
    const bool is_choice = absl::StartsWith(line, "# file") || absl::StartsWith(line, "# labels");
    absl::string_view key = line;
    const bool is_default = absl::ConsumePrefix(&key, "# ") && absl::StrContains(key, " = ") &&
                            !absl::StrContains(key.substr(0, key.find(" = ")), ' ');
    absl::StrAppend(&with, is_default && !is_choice ? key : line, "\n");
  }
  const JobSpec given = Parsed(with), left_out = Parsed(Sample());
  EXPECT_EQ(given.codecs, left_out.codecs);
  EXPECT_EQ(given.groups[0].weighting, left_out.groups[0].weighting);
  EXPECT_EQ(given.groups[0].server_learning_rate, left_out.groups[0].server_learning_rate);
  EXPECT_EQ(given.rounds.renew_every, left_out.rounds.renew_every);
  EXPECT_EQ(given.rounds.lease, left_out.rounds.lease);
  EXPECT_EQ(given.rounds.selection_timeout, left_out.rounds.selection_timeout);
  EXPECT_EQ(given.rounds.max_failed, left_out.rounds.max_failed);
  EXPECT_EQ(given.rounds.backoff_first, left_out.rounds.backoff_first);
  EXPECT_EQ(given.rounds.backoff_longest, left_out.rounds.backoff_longest);
  EXPECT_EQ(given.rounds.seed, left_out.rounds.seed);
  EXPECT_EQ(given.evaluation.every, left_out.evaluation.every);
  EXPECT_EQ(given.evaluation.timeout, left_out.evaluation.timeout);
  EXPECT_EQ(given.retention.last, left_out.retention.last);
  EXPECT_EQ(given.retention.every, left_out.retention.every);
  EXPECT_EQ(given.retention.best, left_out.retention.best);
  EXPECT_EQ(given.allow.roles, left_out.allow.roles);
  EXPECT_EQ(given.max_update_norm, left_out.max_update_norm);
  EXPECT_EQ(given.max_examples, left_out.max_examples);
}

TEST(JobSpecTest, NamesFileLineAndTheKeyThatWasMeant) {
  EXPECT_EQ(Message("id = \"j\"\n\n[rounds]\ncohrt = 3\n").substr(0, 62),
            "job.toml:4: unknown key in [rounds] 'cohrt'; known: count, coh");
  EXPECT_THAT(Message("[rounds]\ncohrt = 3\n"), HasSubstr("did you mean 'cohort'?"));
  EXPECT_THAT(Message("[round]\ncount = 3\n"), HasSubstr("unknown section 'round'"));
  EXPECT_THAT(Message("[round]\ncount = 3\n"), HasSubstr("did you mean 'rounds'?"));
}

TEST(JobSpecTest, NamesTheFirstMistakeOfASection) {
  EXPECT_THAT(Message("[rounds]\nzzz = 1\naaa = 2\n"), HasSubstr("'zzz'"));
}

TEST(JobSpecTest, SaysWhereTheTextIsNoToml) {
  EXPECT_THAT(Message("id = \"j\"\ncount ? 3\n"), HasSubstr("job.toml:2: "));
  EXPECT_THAT(Message("[rounds]\ncount = 3\ncount = 4\n"), HasSubstr("job.toml:3: "));
}

struct BadValue {
  const char* section;
  const char* line;
  const char* expected;
};

TEST(JobSpecTest, RefusesWrongTypesAndRanges) {
  const BadValue kBad[] = {
      {"rounds", "count = 0", "a whole number from 1 to 1000000000"},
      {"rounds", "count = -1", "a whole number"},
      {"rounds", "count = 1.5", "a whole number"},
      {"rounds", "cohort = \"ten\"", "a whole number from 1 to 1000000"},
      {"rounds", "over_selection = 0.9", "a number from 1 to 10"},
      {"rounds", "over_selection = nan", "a number from 1 to 10"},
      {"rounds", "time_limit = 15", "a duration in quotes, as \"90s\" or \"1h30m\""},
      {"rounds", "time_limit = \"15\"", "from 10ms to 720h"},
      {"rounds", "time_limit = \"-1s\"", "a duration"},
      {"rounds", "time_limit = \"inf\"", "a duration"},
      {"rounds", "seed = -1", "a whole number from 0"},
      {"model", "seed = true", "a whole number from 0"},
      {"model", "plan = \"\"", "a text in quotes, not empty"},
      {"model", "frozen = \"fc1.*\"", "a list of name patterns"},
      {"model", "local = [\"\"]", "a list of name patterns, none of them empty"},
      {"strategy", "name = 3", "a text in quotes"},
      {"strategy", "weighting = \"loss\"", "\"examples\" or \"uniform\""},
      {"strategy", "server_learning_rate = 0", "a number from 1e-09 to 1e+06"},
      {"schedule", "learning_rate_decay = 1.5", "a number from 1e-06 to 1"},
      {"training", "layers = [1]", "must be a finite number, a text, true or false"},
      {"training", "rate = inf", "must be a finite number"},
      {"evaluation", "every = -1", "a whole number from 0 to"},
      {"retention", "last = 0", "a whole number from 1 to"},
      {"retention", "best = \"-\"", "the name of a scalar"},
      {"allow", "roles = [\"evaluator\"]", "a list of roles that train"},
      {"allow", "roles = []", "a list of roles that train"},
      {"allow", "labels = { a = 1 }", "a table of at most 32 texts"},
      {"limits", "max_update_norm = -1", "a number from 0"},
      {"limits", "max_examples = 0", "a whole number from 1"},
  };
  for (const BadValue& bad : kBad) {
    const std::string key(bad.line, std::string(bad.line).find(' '));
    const std::string message = Message(absl::StrCat("[", bad.section, "]\n", bad.line, "\n"));
    EXPECT_THAT(message, HasSubstr(absl::StrCat("job.toml:2: '", key, "' in [", bad.section, "]")));
    EXPECT_THAT(message, HasSubstr(bad.expected));
  }
  EXPECT_THAT(Message("id = \"No Spaces\""), HasSubstr("job.toml:1: 'id' must be a name of a-z"));
  EXPECT_THAT(Message(absl::StrCat("id = \"", std::string(64, 'a'), "\"")),
              HasSubstr("at most 63"));
  EXPECT_THAT(Message("codecs = [\"fp99\"]"), HasSubstr("'codecs' must be a list of codecs"));
  EXPECT_THAT(Message("codecs = []"), HasSubstr("'codecs' must be a list of codecs"));
  EXPECT_THAT(Message("rounds = 3"), HasSubstr("job.toml:1: 'rounds' must be a section: [rounds]"));
}

TEST(JobSpecTest, SaysWhatIsMissing) {
  EXPECT_EQ(Message(""), "job.toml: 'id' is missing at the top");
  EXPECT_EQ(Message("id = \"j\""), "job.toml: 'plan' or 'file' is missing in [model]");
  EXPECT_EQ(Message("id = \"j\"\n[model]\nplan = \"p\"\n[rounds]\ncohort = 3"),
            "job.toml:4: 'count' is missing in [rounds]");
  EXPECT_EQ(Message("id = \"j\"\n[model]\nplan = \"p\"\n[rounds]\ncount = 3"),
            "job.toml:4: 'cohort' is missing in [rounds]");
}

TEST(JobSpecTest, RefusesWhatCannotGoTogether) {
  const auto with = [](const char* more) { return Message(absl::StrCat(kMinimal, more)); };
  EXPECT_EQ(with("min_updates = 11"),
            "job.toml:7: 'min_updates' in [rounds] must not be above the cohort: 11 of 10");
  EXPECT_THAT(with("pool_min = 9"),
              HasSubstr("job.toml:7: 'pool_min' in [rounds] must not be below"));
  EXPECT_THAT(with("client_time_limit = \"1h\""), HasSubstr("above the round's time_limit"));
  EXPECT_THAT(with("renew_every = \"5s\"\nlease = \"9s\""), HasSubstr("job.toml:8: 'lease'"));
  EXPECT_THAT(with("renew_every = \"0s\"\nlease = \"9s\""), HasSubstr("without renewals"));
  EXPECT_THAT(with("backoff_first = \"9s\"\nbackoff_longest = \"8s\""),
              HasSubstr("must not be below backoff_first"));
  EXPECT_THAT(with("[schedule]\nlearning_rate_decay = 0.9"),
              HasSubstr("job.toml:8: 'learning_rate_decay' in [schedule] needs a number"));
  EXPECT_THAT(with("[[group]]\nweighting = \"uniform\""), HasSubstr("[[group]] needs a 'name'"));
  EXPECT_THAT(with("[[group]]\nname = \"c\"\n[[group]]\nname = \"c\""),
              HasSubstr("job.toml:9: two groups of one name: 'c'"));
  EXPECT_THAT(with("[[group]]\nname = \"model\""), HasSubstr("not \"delta\" or \"model\""));
  EXPECT_THAT(with("[group]\nname = \"c\""), HasSubstr("[[group]], in double brackets"));
}

TEST(JobSpecTest, LetsOfflineDevicesDoWithoutRenewals) {
  const JobSpec spec = Parsed(absl::StrCat(kMinimal, "renew_every = \"0s\"\n"));
  EXPECT_EQ(spec.rounds.lease, absl::ZeroDuration());
}

TEST(JobSpecTest, FurtherGroupsBeginWithTheStrategysSettings) {
  const JobSpec spec =
      Parsed(absl::StrCat(kMinimal,
                          "[strategy]\nname = \"fedavg\"\nweighting = \"uniform\"\n"
                          "[[group]]\nname = \"control\"\n"
                          "[[group]]\nname = \"more\"\nweighting = \"examples\"\n"));
  ASSERT_THAT(spec.groups, SizeIs(3));
  EXPECT_EQ(spec.groups[0].weighting, "uniform");
  EXPECT_EQ(spec.groups[1].weighting, "uniform");
  EXPECT_EQ(spec.groups[2].weighting, "examples");
  EXPECT_THAT(spec.groups[1].aggregator, IsEmpty()) << "the strategy's own";
}

TEST(JobSpecTest, ReadsLabelsAndRoles) {
  const JobSpec spec = Parsed(absl::StrCat(
      kMinimal, "[allow]\nroles = [\"client\", \"leaf\"]\n[allow.labels]\nsite = \"berlin\"\n"));
  EXPECT_THAT(spec.allow.roles, ElementsAre(Role::kClient, Role::kLeaf));
  EXPECT_THAT(spec.allow.labels, ElementsAre(::testing::Pair("site", "berlin")));
}

TEST(ConfigOfRoundTest, DecaysTheLearningRateAndPassesTheRestOn) {
  const JobSpec spec = Parsed(absl::StrCat(
      kMinimal, "[training]\nlearning_rate = 1\nepochs = 2\nnesterov = true\nrule = \"sgd\"\n",
      "[schedule]\nlearning_rate_decay = 0.5\n"));
  EXPECT_EQ(ConfigOfRound(spec, RoundId{1}).at("learning_rate"), Value(1.0))
      << "a real from now on";
  EXPECT_EQ(ConfigOfRound(spec, RoundId{2}).at("learning_rate"), Value(0.5));
  EXPECT_EQ(ConfigOfRound(spec, RoundId{12}).at("learning_rate"), Value(1.0 / 2048));
  EXPECT_EQ(ConfigOfRound(spec, RoundId{2}).at("epochs"), Value(std::int64_t{2}));
  EXPECT_EQ(ConfigOfRound(spec, RoundId{2}).at("nesterov"), Value(true));
  EXPECT_EQ(ConfigOfRound(spec, RoundId{2}).at("rule"), Value(std::string("sgd")));
}

}  // namespace
}  // namespace fed::server
