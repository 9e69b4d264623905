// How far a measured step may lie from the predicted one.
#pragma once

#include "scenarios/scenario.h"
#include "sim/step_report.h"

namespace stepcast {

struct StepInterval {
  Seconds low, high;  ///< 5 % and 95 % of measured steps lie below
};

/// By how much steps of a framework miss their prediction from run to run, one relative standard
/// deviation:
///
///   sqrt(framework^2 + network^2 nodes)
///
/// the framework's residual over published runs, no less than the 3 % that the model's form leaves,
/// and the network's jitter, which one node does not see.
double run_noise(const Profile& profile, int nodes);

/// One relative standard deviation of a step, stalls apart:
///
///   s^2 = run_noise^2 + (compute share x clock)^2 + (host share x host)^2
///         + (exposed communication share x network latency)^2
///
/// what differs from run to run, and what the profile's constants leave open, each by its share of
/// the step. Needs the report's breakdown.
double step_time_spread(const StepReport& report, const Scenario& scenario);

/// The interval of a log-normal step time with that spread; where runs like the report's may stall,
/// of a mixture of both kinds:
///
///   F(t) = (1 - p) LN(t; free step, s) + p LN(t; stalled step, s),  p as in models/stalls.h
StepInterval step_interval(const StepReport& report, double spread);

}  // namespace stepcast
