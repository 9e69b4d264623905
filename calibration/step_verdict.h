// Whether the step times of a cluster speak for other constants than the built-in ones, and how far
// further steps of it will scatter. A few step times hold little: what they miss by is mostly the
// model's own misfit, which differs from run to run, and only the part that they share is the
// cluster's.
#pragma once

#include <span>

namespace stepcast {

/// One measured step beside predictions that it took no part in: log(predicted / measured).
struct StepMiss {
  double unmoved = 0;   ///< with constants that no step time moved
  double left_out = 0;  ///< with constants that all the other step times moved too
  double noise = 0;     ///< one standard deviation of either, as the profile states it
};

/// The logarithm of the odds for constants that the step times move, by leaving each out:
///
///   sum over steps of  log t(left_out / noise) - log t(unmoved / noise)
///
/// with t the density of Student's t of 2 degrees, so that a run which the model misses for reasons
/// of its own decides nothing. One step alone cannot be left out: 0.
double odds_of_moving(std::span<const StepMiss> steps);

/// Whether the odds are fifty to one (e^4), and not by a single run: without its own share they
/// still favour moving by e to one.
bool steps_move_constants(std::span<const StepMiss> steps);

/// How far further steps scatter over what the profile states: the factor on `noise` with which a
/// normal interval of 90 % is that of the posterior's Student's t,
///
///   t(0.95; d + n) / z(0.95)  sqrt((d s + sum (miss / noise)^2) / (d + n)),   d = 2, s = 0.4
///
/// The stated spreads count as two more steps whose mean square is 0.4 of the stated: draws of
/// three from the published suites (scripts/calibration_trial) are likeliest with d of 2 to 4 and s
/// of 0.35 to 0.5, since stated spreads are made wide enough for the far misses. `moved` says which
/// of the misses count.
double step_scatter(std::span<const StepMiss> steps, bool moved);

}  // namespace stepcast
