// What FED_FAILPOINTS does to a process of the test builds.
#include "common/base/failpoint.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/time.h>

#include <cstdlib>

namespace fed {
namespace {

// In the child of a death test, which reads the variable at its first failpoint.
void SetFailpoints(const char* value) { ::setenv("FED_FAILPOINTS", value, 1); }

void EndByAlarmSoon() {
  itimerval soon{};
  soon.it_value.tv_usec = 50'000;
  ::setitimer(ITIMER_REAL, &soon, nullptr);
}

TEST(FailpointDeathTest, DoesNothingUnlessItIsNamed) {
  EXPECT_EXIT(
      {
        SetFailpoints("ingest.other=kill");
        FailpointHit("ingest.spool_synced");
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST(FailpointDeathTest, KillsAtItsFirstHit) {
  EXPECT_EXIT(
      {
        SetFailpoints("a.b=stall,ingest.spool_synced=kill");
        FailpointHit("ingest.spool_synced");
        std::_Exit(0);
      },
      ::testing::KilledBySignal(SIGKILL), "");
}

TEST(FailpointDeathTest, KillsAtTheHitThatIsAskedFor) {
  EXPECT_EXIT(
      {
        SetFailpoints("a.b=kill@3");
        FailpointHit("a.b");
        FailpointHit("a.b");
        std::_Exit(0);
      },
      ::testing::ExitedWithCode(0), "");
  EXPECT_EXIT(
      {
        SetFailpoints("a.b=kill@3");
        for (int i = 0; i < 3; ++i) FailpointHit("a.b");
        std::_Exit(0);
      },
      ::testing::KilledBySignal(SIGKILL), "");
}

TEST(FailpointDeathTest, StallsForEver) {
  EXPECT_EXIT(
      {
        SetFailpoints("a.b=stall");
        EndByAlarmSoon();
        FailpointHit("a.b");
        std::_Exit(0);
      },
      ::testing::KilledBySignal(SIGALRM), "");
}

TEST(FailpointDeathTest, RefusesAnActionThatItDoesNotKnow) {
  EXPECT_DEATH(
      {
        SetFailpoints("a.b=kil");
        FailpointHit("c.d");
      },
      "broken invariant");
}

}  // namespace
}  // namespace fed
