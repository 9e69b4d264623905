// A search's line of progress on a terminal: rate, best so far, gap, time left.
#pragma once

#include <chrono>

#include "scenarios/search_keys.h"
#include "sim/search/sweep.h"

namespace stepcast {

/// Written over and over on stderr, a few times a second; nothing where stderr is no terminal.
class SearchProgressLine {
 public:
  SearchProgressLine(const SearchGoal& goal, bool quiet);
  ~SearchProgressLine();
  SearchProgressLine(const SearchProgressLine&) = delete;
  SearchProgressLine& operator=(const SearchProgressLine&) = delete;

  void show(const SweepProgress& progress);

 private:
  using Clock = std::chrono::steady_clock;

  Objective objective_;
  bool shown_;
  bool bounding_ = true;
  std::size_t done_before_ = 0;  // when this phase began: known from the database
  bool begun_ = false;
  Clock::time_point phase_begin_;
  Clock::time_point last_;
};

/// One line of it: `rate` in layouts a second. Seen by tests.
std::string progress_text(const SweepProgress& progress, Objective objective, double rate);

}  // namespace stepcast
