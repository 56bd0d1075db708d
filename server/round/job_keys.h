// The keys of job.toml, one list a section: what is read, refused and documented.
#ifndef FED_SERVER_ROUND_JOB_KEYS_H_
#define FED_SERVER_ROUND_JOB_KEYS_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "server/round/job_spec.h"
#include "server/round/toml_table.h"

namespace fed::server {

// Sections: tables of the file, read in this order. [[group]] is a list of tables.
absl::Span<const absl::string_view> JobSections();

std::vector<TomlKey<JobSpec>> TopKeys();
std::vector<TomlKey<ModelSpec>> ModelKeys();
std::vector<TomlKey<JobSpec>> StrategyKeys();        // but for those of its group
std::vector<TomlKey<GroupSpec>> GroupKeys();         // of [strategy]
std::vector<TomlKey<GroupSpec>> FurtherGroupKeys();  // of [[group]]: with a name
std::vector<TomlKey<JobSpec>> ScheduleKeys();
std::vector<TomlKey<RoundsSpec>> RoundsKeys();
std::vector<TomlKey<EvaluationSpec>> EvaluationKeys();
std::vector<TomlKey<RetentionSpec>> RetentionKeys();
std::vector<TomlKey<AllowSpec>> AllowKeys();
std::vector<TomlKey<JobSpec>> LimitsKeys();

// Every key of every section, for whoever documents them. [training] and [allow.labels] take names
// of the job's own.
struct JobKey {
  absl::string_view section;  // "" at the top, "rounds", "group"
  absl::string_view name;
  std::string expected;
};
std::vector<JobKey> AllJobKeys();

}  // namespace fed::server

#endif  // FED_SERVER_ROUND_JOB_KEYS_H_
