// Published runs as evidence: which of them constants are fitted to and which judge the fit, and
// how much each weighs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace stepcast {

/// A scenario with a measured step time.
struct MeasuredRun {
  Scenario scenario;
  std::string suite;  ///< the file it came from, without folder and ending
  Seconds step_time;
  bool fits = false;     ///< of the half that constants are fitted to
  bool stalled = false;  ///< stalled_runs.h: fitted to only where that is foreseen
};

/// A measured step time or throughput as a step time; nothing where neither was measured.
std::optional<Seconds> measured_step_time(const Scenario& scenario);

/// The timed runs of a file or of a folder's files; runs that cannot be read are left out.
std::vector<MeasuredRun> read_measured_runs(const std::vector<std::string>& paths);

/// Deals the runs into a half that constants are fitted to and one that judges. Groups of near
/// duplicates stay together: runs of a suite that share model width, tensor degree, micro-batch,
/// sequence length and number of nodes measure the same layer, and none may judge a fit that has
/// seen another. Within each suite the groups, in an order that `seed` shuffles, go to the smaller
/// half.
void deal_halves(std::vector<MeasuredRun>& runs, std::uint64_t seed);

/// What one suite's runs weigh, for each: n runs weigh sqrt(n) together, so that a table of a
/// thousand does not outvote nine others. 1 up to 25 runs.
double suite_weight(std::size_t runs_in_suite);

}  // namespace stepcast
