// A job's rounds as they are shown while they happen.
#include "server/cli/progress.h"

#include <pty.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace fed::server {
namespace {

constexpr char kHeader[] = "round  clients  train loss  test accuracy  seconds   MB up  MB down\n";

v1::JobEvent JobEvent(v1::JobState state, std::int64_t done, const std::string& reason = "") {
  v1::JobEvent event;
  event.mutable_job()->set_id("j");
  event.mutable_job()->set_state(state);
  event.mutable_job()->set_rounds_done(done);
  event.mutable_job()->set_rounds_planned(10);
  event.mutable_job()->set_reason(reason);
  return event;
}

v1::JobEvent RoundEvent(std::int64_t round, const std::string& state) {
  v1::JobEvent event;
  v1::Round& progress = *event.mutable_progress();
  progress.set_round(round);
  progress.set_state(state);
  progress.set_updates(3);
  progress.set_target_updates(30);
  progress.set_version(state == "PUBLISHED" ? round : -1);
  return event;
}

v1::JobEvent Published(std::int64_t round) { return RoundEvent(round, "PUBLISHED"); }

v1::JobEvent Failed(std::int64_t round) {
  v1::JobEvent event = RoundEvent(round, "FAILED");
  event.mutable_progress()->set_reason("too few updates");
  return event;
}

v1::JobEvent Evaluated(std::int64_t round, double accuracy) {
  v1::JobEvent event;
  event.mutable_evaluated()->set_round(round);
  event.mutable_evaluated()->set_version(round);
  (*event.mutable_evaluated()->mutable_evaluation())["accuracy"] = accuracy;
  return event;
}

// The row of a round without metrics.
std::string Row(std::int64_t round, const std::string& accuracy) {
  return absl::StrFormat("%5d  %7d  %10s  %13s  %7s  %6s  %7s\n", round, 3, "-", accuracy, "-", "-",
                         "-");
}

// What is printed elsewhere than on a terminal while `show` runs, and what when all is over.
struct Printed {
  std::string during, all;
};
Printed Print(const std::function<void(Progress&)>& show) {
  const Output output;
  Printed printed;
  ::testing::internal::CaptureStdout();
  {
    Progress progress(output);
    show(progress);
    printed.during = ::testing::internal::GetCapturedStdout();
    ::testing::internal::CaptureStdout();
  }
  printed.all = printed.during + ::testing::internal::GetCapturedStdout();
  return printed;
}

TEST(ProgressTest, ShowsTheFiguresOfARound) {
  const Printed printed = Print([](Progress& progress) {
    v1::JobEvent event = Published(1);
    v1::Round& round = *event.mutable_progress();
    round.set_updates(12);
    (*round.mutable_metrics())["train_loss"] = 0.5;
    (*round.mutable_metrics())["seconds"] = 1.25;
    (*round.mutable_metrics())["bytes_up"] = 47.8e6;
    (*round.mutable_metrics())["bytes_down"] = 1e6;
    (*round.mutable_evaluation())["accuracy"] = 0.84567;
    progress.Show(event);
  });
  EXPECT_EQ(printed.during,
            absl::StrCat(kHeader,
                         "    1       12      0.5000         0.8457     1.25    47.8      1.0\n"));
  EXPECT_EQ(printed.all, printed.during);
}

TEST(ProgressTest, WaitsForTheEvaluationOfARound) {
  EXPECT_EQ(Print([](Progress& progress) { progress.Show(Published(1)); }).during, "");
  const Printed printed = Print([](Progress& progress) {
    progress.Show(Published(1));
    progress.Show(Evaluated(1, 0.5));
  });
  EXPECT_EQ(printed.during, absl::StrCat(kHeader, Row(1, "0.5000")));
}

TEST(ProgressTest, PrintsRowsInTheOrderOfRounds) {
  const Printed printed = Print([](Progress& progress) {
    progress.Show(Published(1));
    progress.Show(Published(2));
    progress.Show(Evaluated(2, 0.7));
    progress.Show(Evaluated(1, 0.6));
  });
  EXPECT_EQ(printed.during, absl::StrCat(kHeader, Row(1, "0.6000"), Row(2, "0.7000")));
}

TEST(ProgressTest, GivesAnEvaluationUpWhenThreeNewerRoundsHaveEnded) {
  const auto three = [](Progress& progress) {
    for (std::int64_t round = 1; round <= 3; ++round) progress.Show(Published(round));
  };
  EXPECT_EQ(Print(three).during, "");
  const Printed printed = Print([&](Progress& progress) {
    three(progress);
    progress.Show(Published(4));
    progress.Show(Evaluated(1, 0.5));  // too late
  });
  EXPECT_EQ(printed.during, absl::StrCat(kHeader, Row(1, "-")));
}

TEST(ProgressTest, PrintsWhatStillWaitsWhenItEnds) {
  const Printed printed = Print([](Progress& progress) {
    progress.Show(Published(1));
    progress.Show(Published(2));
    progress.Show(Evaluated(2, 0.7));
  });
  EXPECT_EQ(printed.during, "");
  EXPECT_EQ(printed.all, absl::StrCat(kHeader, Row(1, "-"), Row(2, "0.7000")));
}

TEST(ProgressTest, AFailedRoundSaysWhyAndWaitsForNoEvaluation) {
  EXPECT_EQ(Print([](Progress& progress) { progress.Show(Failed(1)); }).during,
            absl::StrCat(kHeader, "    1  failed: too few updates\n"));
  const Printed printed = Print([](Progress& progress) {
    progress.Show(Published(1));
    progress.Show(Failed(2));
    progress.Show(Evaluated(1, 0.5));
  });
  EXPECT_EQ(printed.during,
            absl::StrCat(kHeader, Row(1, "0.5000"), "    2  failed: too few updates\n"));
}

TEST(ProgressTest, KeepsAnEvaluationWhenTheRoundIsToldAgain) {
  const Printed printed = Print([](Progress& progress) {
    progress.Show(Published(1));
    progress.Show(Published(2));
    progress.Show(Evaluated(2, 0.7));
    progress.Show(Published(2));
    progress.Show(Evaluated(1, 0.6));
  });
  EXPECT_EQ(printed.during, absl::StrCat(kHeader, Row(1, "0.6000"), Row(2, "0.7000")));
}

TEST(ProgressTest, PrintsARoundOnceHoweverOftenItIsTold) {
  const Printed printed = Print([](Progress& progress) {
    progress.Show(Published(1));
    progress.Show(Evaluated(1, 0.6));
    progress.Show(Published(1));
    progress.Show(Failed(2));
    progress.Show(Failed(2));
  });
  EXPECT_EQ(printed.all,
            absl::StrCat(kHeader, Row(1, "0.6000"), "    2  failed: too few updates\n"));
}

TEST(ProgressTest, SaysWhyAJobChangedItsState) {
  const Printed printed = Print([](Progress& progress) {
    progress.Show(JobEvent(v1::JOB_STATE_RUNNING, 0));
    progress.Show(JobEvent(v1::JOB_STATE_PAUSED, 0, "3 rounds failed in a row"));
    progress.Show(JobEvent(v1::JOB_STATE_PAUSED, 0, "3 rounds failed in a row"));
  });
  EXPECT_EQ(printed.during, "job j: PAUSED, 3 rounds failed in a row\n");
}

TEST(ProgressTest, PrintsNothingOfAnOpenRoundWhereNoTerminalIs) {
  const Printed printed = Print([](Progress& progress) {
    progress.Show(JobEvent(v1::JOB_STATE_RUNNING, 0));
    progress.Show(RoundEvent(1, "OPEN"));
    progress.Show(RoundEvent(1, "CLOSING"));
  });
  EXPECT_EQ(printed.all, "");
}

// Makes stdout a terminal until Text() is called.
class Terminal {
 public:
  Terminal() {
    std::fflush(stdout);
    stdout_ = dup(STDOUT_FILENO);
    if (openpty(&shown_, &terminal_, nullptr, nullptr, nullptr) == 0) {
      dup2(terminal_, STDOUT_FILENO);
    }
  }
  ~Terminal() {
    for (const int file : {shown_, terminal_, stdout_}) close(file);
  }

  // What has been written to it; lines end with "\r\n".
  std::string Text() {
    std::fflush(stdout);
    dup2(stdout_, STDOUT_FILENO);
    std::string text(4'096, '\0');
    const ssize_t size = read(shown_, text.data(), text.size());
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

 private:
  int shown_ = -1, terminal_ = -1, stdout_ = -1;
};

TEST(ProgressTest, RedrawsABarBelowTheRowsOnATerminal) {
  const Output output;
  Terminal terminal;
  {
    Progress progress(output);
    progress.Show(JobEvent(v1::JOB_STATE_RUNNING, 1));
    progress.Show(RoundEvent(2, "OPEN"));
    progress.Show(Failed(2));
  }
  const std::string bar = absl::StrCat("[###", std::string(27, '.'), "] 1/10 rounds   round ");
  const std::string clear = "\r\033[K";
  std::string header = kHeader;
  header.insert(header.size() - 1, "\r");
  EXPECT_EQ(terminal.Text(),
            absl::StrCat(bar, "0: 0 of 0 updates", clear, bar, "2: 3 of 30 updates", clear, header,
                         "    2  failed: too few updates\r\n", bar, "2: 3 of 30 updates", clear));
}

}  // namespace
}  // namespace fed::server
