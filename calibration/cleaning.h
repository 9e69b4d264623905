// What in a log is not the steady state: warm-up, stalls, outliers, wrong units. Found, named and
// left out; never silently.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "base/input_error.h"
#include "calibration/evidence.h"
#include "calibration/readers/training_log.h"

namespace stepcast {

/// A series of repeated measurements of one thing, taken apart. Indices into the series.
struct SteadySeries {
  double median = 0.0;
  double spread = 0.0;                ///< relative, 1.4826 x median deviation, of what is steady
  std::vector<std::size_t> warm_up;   ///< at the start, slower than what follows
  std::vector<std::size_t> stalls;    ///< far slower than the rest: 1.3 x and 6 spreads
  std::vector<std::size_t> outliers;  ///< 6 spreads and 5 % off, either way
  std::size_t steady = 0;             ///< how many are left
};

/// Warm-up is the longest beginning of the series whose values all exceed the median of the rest by
/// 5 % and 3 spreads. Requires at least one value, all above 0.
SteadySeries take_apart(std::span<const double> series);

/// The steady iterations' time, and what was found on the way, in sentences with lines.
struct SteadyStep {
  Seconds time;
  double spread = 0.0;  ///< relative, from iteration to iteration
  std::size_t used = 0;
  std::vector<std::string> findings;
};

/// `global_batch` turns rates into times where the log does not say it itself. Iterations are made
/// of one unit: throws InputError where none is known.
SteadyStep steady_step(const TrainingLog& log, std::int64_t global_batch);

/// Takes rows out whose time lies 1.8 times or more above what the rows around it suggest beside
/// the prediction: a stall hit them. What is left, and a finding for each.
struct CleanCollectives {
  std::vector<Evidence> rows;
  std::vector<std::string> findings;
};
CleanCollectives without_stalls(std::vector<Evidence> rows, const Profile& profile);

/// One row for each size of a collective, in place and out of place apart: the one whose time over
/// the predicted is the median. Sizes within a sixteenth of an octave count as one. What the model
/// misses a size by, all its repeats share, so that a fit learns no more from ten thousand of them;
/// it only takes longer.
CleanCollectives one_row_for_each_size(std::vector<Evidence> rows, const Profile& profile);

/// Throws InputError where the measurements as a whole are a thousand times off the prediction:
/// milliseconds taken for microseconds, or the other way round.
void check_units(std::span<const Evidence> evidence, const Profile& profile);

/// A sentence where large messages run at half the rate that the links should give, as one link or
/// NIC at half rate makes a whole ring do; empty otherwise.
std::string half_rate_finding(std::span<const Evidence> rows, const Profile& profile);

}  // namespace stepcast
