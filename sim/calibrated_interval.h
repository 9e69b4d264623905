// What a calibration's record says of one prediction: how sure it is, and how far the scenario lies
// from what was measured.
#pragma once

#include <string>
#include <vector>

#include "models/step_program.h"
#include "scenarios/scenario.h"

namespace stepcast {

/// The relative spread of a predicted step time, one standard deviation:
///
///   sqrt((f run_noise)^2 + s^T C s)
///
/// with the profile's noise from run to run (step_interval.h), `f` how far the calibration's own
/// steps scatter beside it (1 where it saw none), `C` the posterior covariance of the constants,
/// and `s` the step's sensitivity to each, by the analytic engine. Constants that kept their prior
/// do not count, since the noise is what steps miss by with these very constants; but for those
/// that count without a calibration too (step_interval.h) where no steps were measured. Constants
/// of parts that do not apply to the scenario count with their prior's spread. Requires
/// scenario.calibration.
double calibrated_spread(const Scenario& scenario);

/// One sentence for each way in which the scenario reaches beyond the measurements: more nodes,
/// larger messages, other layouts, longer sequences, a wider model. Empty without a calibration.
std::vector<std::string> extrapolations(const Scenario& scenario, const StepProgram& program);

}  // namespace stepcast
