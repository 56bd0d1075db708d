// A job's rounds as they happen: a live bar for the open one, a row for each that has ended.
#ifndef FED_SERVER_CLI_PROGRESS_H_
#define FED_SERVER_CLI_PROGRESS_H_

#include <cstdint>
#include <map>
#include <string>

#include "fed/v1/admin.pb.h"
#include "server/cli/output.h"

namespace fed::server {

// Not thread-safe. On a terminal the bar is redrawn in place; elsewhere only rows are printed.
class Progress {
 public:
  explicit Progress(const Output& output);
  ~Progress();

  void Show(const v1::JobEvent& event);

 private:
  void ShowJob(const v1::Job& job);
  void ShowRound(const v1::Round& round);
  void ShowEvaluation(const v1::Model& model);
  void PrintRow(const v1::Round& round);
  void PrintEnded();  // rounds whose evaluation has come, or whose turn is over
  void DrawBar();
  void ClearBar();

  const Output& output_;
  const bool live_;  // stdout is a terminal
  bool header_shown_ = false;
  bool bar_shown_ = false;
  std::int64_t planned_ = 0;
  std::int64_t done_ = 0;
  v1::Round open_;
  std::string state_;                        // of the job, when it last changed
  std::int64_t printed_ = 0;                 // the last round that has its row
  std::map<std::int64_t, v1::Round> ended_;  // not printed yet: their evaluation may still come
};

}  // namespace fed::server

#endif  // FED_SERVER_CLI_PROGRESS_H_
