// Failpoints of the test builds: FED_FAILPOINTS="ingest.spool_synced=kill,store.opened=stall@3".
//
// Each entry is name=action or name=action@n: at the n-th hit (1 by default) of that name, "kill"
// ends the process by SIGKILL and "stall" blocks the thread for ever. Anything else in the variable
// ends the process at the first failpoint: a typo must not look like a test that passed.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <deque>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "common/base/check.h"
#include "common/base/failpoint.h"

namespace fed {
namespace {

struct Failpoint {
  std::string name;
  std::string action;
  int at_hit = 1;
  std::atomic<int> hits{0};
};

std::deque<Failpoint> ParseFailpoints(const char* text) {
  std::deque<Failpoint> points;
  if (text == nullptr) return points;
  for (const absl::string_view entry : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> name_and_action =
        absl::StrSplit(entry, absl::MaxSplits('=', 1));
    const std::pair<absl::string_view, absl::string_view> action_and_hit =
        absl::StrSplit(name_and_action.second, absl::MaxSplits('@', 1));
    Failpoint& point = points.emplace_back();
    point.name = std::string(name_and_action.first);
    point.action = std::string(action_and_hit.first);
    FED_CHECK(point.action == "kill" || point.action == "stall");
    FED_CHECK(action_and_hit.second.empty() ||
              absl::SimpleAtoi(action_and_hit.second, &point.at_hit));
  }
  return points;
}

}  // namespace

void FailpointHit(const char* name) {
  static std::deque<Failpoint> points = ParseFailpoints(std::getenv("FED_FAILPOINTS"));
  for (Failpoint& point : points) {
    if (point.name != name || point.hits.fetch_add(1) + 1 != point.at_hit) continue;
    if (point.action == "kill") ::kill(::getpid(), SIGKILL);
    while (true) ::pause();
  }
}

}  // namespace fed
