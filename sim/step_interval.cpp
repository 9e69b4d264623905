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

// The step of a run that stalls in every slot, and how likely that is.
struct Stall {
  double chance = 0;
  Seconds step;
};

Stall stall_of(const StepReport& report, const Scenario& scenario) {
  const StallTrait& trait = scenario.profile.framework.stalls;
  const ClusterSpec& cluster = scenario.cluster;
  const int stages = scenario.job.plan.pipeline_parallel;
  const bool may_stall =
      stages > 1 && cluster.nodes > 1 && cluster.fabric.transport == Transport::Efa;
  if (!may_stall) return {0, report.step_time};
  const double slots = num_micro_batches(scenario.job) + stages - 1;
  return {1.0 - std::exp(-trait.rate_per_node.value * cluster.nodes),
          report.step_time + slots * trait.slot_time.value};
}

double log_normal(double time, double middle, double spread) {
  return boost::math::cdf(boost::math::normal(), std::log(time / middle) / spread);
}

// The time below which `share` of the steps lie, by bisection on its logarithm.
Seconds quantile(double share, Seconds step, const Stall& stall, double spread) {
  double low = std::log(step.value()) - 6 * spread;
  double high = std::log(std::max(step, stall.step).value()) + 6 * spread;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const double below = (1 - stall.chance) * log_normal(std::exp(middle), step.value(), spread) +
                         stall.chance * log_normal(std::exp(middle), stall.step.value(), spread);
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

StepInterval step_interval(const StepReport& report, const Scenario& scenario, double spread) {
  const Stall stall = stall_of(report, scenario);
  if (stall.chance == 0) {
    const double factor = std::exp(boost::math::quantile(boost::math::normal(), 0.95) * spread);
    return {report.step_time / factor, report.step_time * factor};
  }
  return {quantile(0.05, report.step_time, stall, spread),
          quantile(0.95, report.step_time, stall, spread)};
}

}  // namespace stepcast
