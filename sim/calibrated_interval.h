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
///   sqrt(noise^2 + jitter^2 nodes + s^T C s)
///
/// with the network's jitter, the noise that the calibration found beside its own runs (the
/// framework's run-to-run spread where it saw none), `C` the posterior covariance of the constants,
/// and `s` the step's sensitivity to each, by the analytic engine. Constants of parts that do not
/// apply to the scenario count with their prior's spread. Requires scenario.calibration.
double calibrated_spread(const Scenario& scenario);

/// One sentence for each way in which the scenario reaches beyond the measurements: more nodes,
/// larger messages, other layouts, longer sequences, a wider model. Empty without a calibration.
std::vector<std::string> extrapolations(const Scenario& scenario, const StepProgram& program);

}  // namespace stepcast
