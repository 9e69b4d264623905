#include "sim/step_interval.h"

#include <algorithm>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <initializer_list>

namespace stepcast {
namespace {

double squared(double x) { return x * x; }

double share(const StepReport& report, std::initializer_list<Activity> parts) {
  Seconds sum;
  for (const Activity part : parts) sum += report.breakdown[static_cast<std::size_t>(part)];
  return sum / report.step_time;
}

// Both kinds of runs: what a step takes that stalls and one that does not.
struct Mixture {
  double stall_chance = 0;
  Seconds free;
  Seconds stalled;
};

Mixture mixture_of(Seconds step, const StallRisk& risk) {
  if (!risk.expected()) return {risk.chance, step, step + risk.time()};
  // The count of messages is exact for 1F1B and GPipe, a little off for others (stalls.h).
  return {risk.chance, std::max(step - risk.time(), 0.1 * step), step};
}

double log_normal(double time, double middle, double spread) {
  return boost::math::cdf(boost::math::normal(), std::log(time / middle) / spread);
}

// The time below which `share` of the steps lie, by bisection on its logarithm.
Seconds quantile(double share, const Mixture& steps, double spread) {
  double low = std::log(steps.free.value()) - 6 * spread;
  double high = std::log(steps.stalled.value()) + 6 * spread;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const double time = std::exp(middle);
    const double below = (1 - steps.stall_chance) * log_normal(time, steps.free.value(), spread) +
                         steps.stall_chance * log_normal(time, steps.stalled.value(), spread);
    (below < share ? low : high) = middle;
  }
  return Seconds(std::exp(low));
}

}  // namespace

double run_noise(const Profile& profile, int nodes) {
  constexpr double kOfTheForm = 0.03;
  const double framework = std::max(kOfTheForm, profile.framework.step_time_spread.value);
  const double jitter = profile.network.step_time_jitter.value;
  return std::sqrt(squared(framework) + squared(jitter) * (nodes > 1 ? nodes : 0));
}

double step_time_spread(const StepReport& report, const Scenario& scenario) {
  const Profile& profile = scenario.profile;
  const double compute = share(report, {Activity::Compute, Activity::PipelineBubble});
  const double communication =
      share(report, {Activity::TensorCommunication, Activity::ContextCommunication,
                     Activity::ExpertCommunication, Activity::PipelineCommunication,
                     Activity::DataCommunication});
  return std::sqrt(
      squared(run_noise(profile, scenario.cluster.nodes)) +
      squared(compute * profile.gpu.sustained_clock.spread) +
      squared(share(report, {Activity::Other}) * profile.framework.host.layer_forward.spread) +
      squared(communication * profile.network.latency_factor.spread));
}

StepInterval step_interval(const StepReport& report, double spread) {
  if (report.stall.chance == 0) {
    const double factor = std::exp(boost::math::quantile(boost::math::normal(), 0.95) * spread);
    return {report.step_time / factor, report.step_time * factor};
  }
  const Mixture steps = mixture_of(report.step_time, report.stall);
  return {quantile(0.05, steps, spread), quantile(0.95, steps, spread)};
}

}  // namespace stepcast
