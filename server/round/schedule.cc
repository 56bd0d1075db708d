// Between two rounds: the checks in the order in which they stand here.
#include "server/round/schedule.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace fed::server {
namespace {

// Twice as long after each further failure.
absl::Duration BackOff(const RoundsSpec& rounds, int failed_in_a_row) {
  absl::Duration pause = rounds.backoff_first;
  for (int i = 1; i < failed_in_a_row && pause < rounds.backoff_longest; ++i) pause *= 2;
  return std::min(pause, rounds.backoff_longest);
}

}  // namespace

Decision Decide(const JobSpec& spec, const Between& state, absl::Time now) {
  const RoundsSpec& rounds = spec.rounds;
  if (state.published >= rounds.count) return Finish{};
  if (state.failed_in_a_row >= rounds.max_failed) {
    return Pause{absl::StrCat(state.failed_in_a_row, " rounds failed in a row")};
  }
  if (state.failed_in_a_row > 0) {
    const absl::Time until = state.last_ended + BackOff(rounds, state.failed_in_a_row);
    if (now < until) {
      return Wait{until, absl::StrCat("pause after failed round, ", state.failed_in_a_row, " of ",
                                      rounds.max_failed, " before the job is paused")};
    }
  }
  if (state.waiting >= rounds.pool_min) return OpenRound{};

  // Devices come back one by one after a round, so the wait for the others begins at its end.
  const absl::Time patience =
      std::max(state.waiting_since, state.last_ended) + rounds.selection_timeout;
  if (state.waiting >= rounds.min_updates && now >= patience) return OpenRound{};
  const std::string devices =
      absl::StrCat("waiting for devices: ", state.waiting, " of ", rounds.pool_min, " are here");
  if (now >= patience || state.waiting == 0) {
    return Wait{absl::InfiniteFuture(),
                absl::StrCat(devices, "; a round needs at least ", rounds.min_updates)};
  }
  return Wait{patience, devices};
}

}  // namespace fed::server
