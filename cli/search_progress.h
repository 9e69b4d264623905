// A search's line of progress on a terminal: rate, best so far, gap, time left.
#pragma once

#include <chrono>

#include "cli/progress_line.h"
#include "scenarios/search_keys.h"
#include "sim/search/sweep.h"

namespace stepcast {

class SearchProgressLine {
 public:
  SearchProgressLine(const SearchGoal& goal, bool quiet);

  void show(const SweepProgress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  Objective objective_;
  ProgressLine line_;
  bool bounding_ = true;
  std::size_t done_before_ = 0;  // when this phase began: known from the database
  bool begun_ = false;
  Clock::time_point phase_begin_;
};

/// One line of it: `rate` in layouts a second. Seen by tests.
std::string progress_text(const SweepProgress& progress, Objective objective, double rate);

}  // namespace stepcast
