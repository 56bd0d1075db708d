// Who takes part: a pure, seeded draw from the devices that wait.
#ifndef FED_SERVER_ROUND_COHORT_H_
#define FED_SERVER_ROUND_COHORT_H_

#include <cstdint>
#include <vector>

#include "common/base/ids.h"

namespace fed::server {

struct Draw {
  std::uint64_t seed = 0;  // of the job's rounds
  RoundId round;
  int nth = 0;  // draw of this round: 0, then replacements
};

// `places` of `waiting` (all of them if there are fewer), uniformly without replacement, sorted by
// id. Depends on the set that waits, not on the order in which it came.
std::vector<ClientId> DrawCohort(const Draw& draw, std::vector<ClientId> waiting, int places);

// The seed of one client's training in one round: equal whoever trains first, and whatever the
// assignment ids are.
std::uint64_t TrainingSeed(std::uint64_t seed, RoundId round, const ClientId& client);

}  // namespace fed::server

#endif  // FED_SERVER_ROUND_COHORT_H_
