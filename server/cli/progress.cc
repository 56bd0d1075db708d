// Rows and a bar.
#include "server/cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace fed::server {
namespace {

constexpr int kBarCells = 30;
// A round is printed without its evaluation once this many newer ones have ended.
constexpr std::size_t kMostWaiting = 3;

std::string Bar(std::int64_t done, std::int64_t all) {
  const std::int64_t cells =
      all > 0 ? std::min<std::int64_t>(kBarCells, kBarCells * done / all) : 0;
  return absl::StrCat("[", std::string(static_cast<std::size_t>(cells), '#'),
                      std::string(static_cast<std::size_t>(kBarCells - cells), '.'), "]");
}

bool HasEnded(const v1::Round& round) {
  return round.state() == "PUBLISHED" || round.state() == "FAILED";
}

}  // namespace

Progress::Progress(const Output& output) : output_(output), live_(isatty(STDOUT_FILENO) != 0) {}

Progress::~Progress() {
  for (const auto& [number, round] : ended_) PrintRow(round);
  ClearBar();
}

void Progress::Show(const v1::JobEvent& event) {
  if (event.has_job()) ShowJob(event.job());
  if (event.has_progress()) ShowRound(event.progress());
  if (event.has_evaluated()) ShowEvaluation(event.evaluated());
  PrintEnded();
  DrawBar();
}

void Progress::ShowJob(const v1::Job& job) {
  planned_ = job.rounds_planned();
  done_ = job.rounds_done();
  const std::string state = v1::JobState_Name(job.state()).substr(sizeof("JOB_STATE_") - 1);
  if (state == state_) return;
  state_ = state;
  if (job.reason().empty()) return;
  ClearBar();
  output_.Print(absl::StrCat("job ", job.id(), ": ", state, ", ", job.reason()));
}

void Progress::ShowRound(const v1::Round& round) {
  if (!HasEnded(round)) {
    if (round.round() >= open_.round()) open_ = round;
    return;
  }
  if (round.state() == "PUBLISHED") done_ = std::max(done_, round.version());
  // Each change is told as the round stands by then: its end may be told more than once.
  if (round.round() <= printed_) return;
  v1::Round& kept = ended_[round.round()];
  const auto evaluation = kept.evaluation();
  kept = round;
  kept.mutable_evaluation()->insert(evaluation.begin(), evaluation.end());
}

void Progress::ShowEvaluation(const v1::Model& model) {
  const auto round = ended_.find(model.round());
  if (round == ended_.end()) return;
  round->second.mutable_evaluation()->insert(model.evaluation().begin(), model.evaluation().end());
}

// In order of rounds: one waits for its evaluation, and those behind it wait for it.
void Progress::PrintEnded() {
  while (!ended_.empty()) {
    const v1::Round& first = ended_.begin()->second;
    if (first.state() == "PUBLISHED" && first.evaluation().empty() &&
        ended_.size() <= kMostWaiting) {
      return;
    }
    PrintRow(first);
    printed_ = first.round();
    ended_.erase(ended_.begin());
  }
}

void Progress::PrintRow(const v1::Round& round) {
  ClearBar();
  if (!header_shown_) {
    output_.Print("round  clients  train loss  test accuracy  seconds   MB up  MB down");
    header_shown_ = true;
  }
  if (round.state() == "FAILED") {
    output_.Print(absl::StrFormat("%5d  failed: %s", round.round(), round.reason()));
    return;
  }
  const auto metric = [&](const char* name, const char* format) {
    return MetricCell(round.metrics(), name, format);
  };
  const auto megabytes = [&](const char* name) {
    const auto found = round.metrics().find(name);
    return found == round.metrics().end() ? std::string("-") : MegabytesCell(found->second);
  };
  output_.Print(absl::StrFormat(
      "%5d  %7d  %10s  %13s  %7s  %6s  %7s", round.round(), round.updates(),
      metric("train_loss", "%.4f"), MetricCell(round.evaluation(), "accuracy", "%.4f"),
      metric("seconds", "%.2f"), megabytes("bytes_up"), megabytes("bytes_down")));
}

void Progress::DrawBar() {
  if (!live_) return;
  ClearBar();
  const std::string text =
      absl::StrFormat("%s %d/%d rounds   round %d: %d of %d updates", Bar(done_, planned_), done_,
                      planned_, open_.round(), open_.updates(), open_.target_updates());
  std::fputs(text.c_str(), stdout);
  std::fflush(stdout);
  bar_shown_ = true;
}

void Progress::ClearBar() {
  if (!bar_shown_) return;
  std::fputs("\r\033[K", stdout);
  std::fflush(stdout);
  bar_shown_ = false;
}

}  // namespace fed::server
