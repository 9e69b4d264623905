// How far a measured step may lie from the predicted one.
#pragma once

#include "scenarios/scenario.h"
#include "sim/step_report.h"

namespace stepcast {

struct StepInterval {
  Seconds low, high;  ///< 5 % and 95 % of measured steps lie below
};

/// One relative standard deviation of a step, stalls apart:
///
///   s^2 = framework^2 + network^2 nodes + (compute share x clock)^2 + (host share x host)^2
///         + (exposed communication share x network latency)^2
///
/// the framework's residual, the network's jitter, and what the profile's constants leave open,
/// each by its share of the step. Needs the report's breakdown.
double step_time_spread(const StepReport& report, const Scenario& scenario);

/// The interval of a log-normal step time with that spread; where steps of this framework
/// may stall on this network, of a mixture of it and the stalled one:
///
///   F(t) = (1 - p) LN(t; step, s) + p LN(t; step + slots x stall, s),  p = 1 - exp(-rate x nodes)
StepInterval step_interval(const StepReport& report, const Scenario& scenario, double spread);

}  // namespace stepcast
