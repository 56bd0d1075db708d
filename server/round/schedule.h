// When a job opens its next round, and when it stops trying: pure.
#ifndef FED_SERVER_ROUND_SCHEDULE_H_
#define FED_SERVER_ROUND_SCHEDULE_H_

#include <cstdint>
#include <string>
#include <variant>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/round/job_spec.h"

namespace fed::server {

// What is known of a job that is RUNNING and has no active round.
struct Between {
  std::int64_t published = 0;  // rounds
  int failed_in_a_row = 0;
  absl::Time last_ended;     // absl::InfinitePast(): no round yet
  int waiting = 0;           // devices in its pool, eligible now
  absl::Time waiting_since;  // since when at least one waits; InfiniteFuture: none does
};

struct OpenRound {};
struct Finish {};  // all rounds are published
struct Pause {
  std::string reason;
};
struct Wait {
  absl::Time until;
  std::string why;
};  // look again then, or when the pool changes
using Decision = std::variant<OpenRound, Finish, Pause, Wait>;

Decision Decide(const JobSpec& spec, const Between& state, absl::Time now);

}  // namespace fed::server

#endif  // FED_SERVER_ROUND_SCHEDULE_H_
