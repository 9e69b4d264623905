#include "sim/step_interval.h"

#include <catch2/catch.hpp>
#include <cmath>

using namespace stepcast;

namespace {

// Ten seconds of which six compute, two are the host's and two exposed communication.
StepReport ten_seconds() {
  StepReport report;
  report.step_time = 10_s;
  report.breakdown[static_cast<std::size_t>(Activity::Compute)] = 6_s;
  report.breakdown[static_cast<std::size_t>(Activity::Other)] = 2_s;
  report.breakdown[static_cast<std::size_t>(Activity::DataCommunication)] = 2_s;
  return report;
}

Scenario scenario_on(int nodes) {
  Scenario scenario;
  scenario.cluster.nodes = nodes;
  scenario.cluster.fabric.transport = Transport::Efa;
  scenario.job.plan.pipeline_parallel = 2;
  scenario.job.plan.data_parallel = 1;
  scenario.job.batch = {.global_batch = 9, .micro_batch = 1, .sequence_length = 1};
  scenario.profile.framework.step_time_spread.value = 0.05;
  return scenario;
}

StepInterval interval_of(const Scenario& scenario) {
  return step_interval(ten_seconds(), scenario, step_time_spread(ten_seconds(), scenario));
}

}  // namespace

TEST_CASE("a step's spread adds what each part leaves open, by its share", "[sim]") {
  Scenario scenario = scenario_on(4);
  scenario.profile.gpu.sustained_clock.spread = 0.1;
  scenario.profile.framework.host.layer_forward.spread = 0.2;
  scenario.profile.network.latency_factor.spread = 0.3;
  scenario.profile.network.step_time_jitter.value = 0.02;
  // 0.05^2 + 4 x 0.02^2 + (0.6 x 0.1)^2 + (0.2 x 0.2)^2 + (0.2 x 0.3)^2 = 0.0129
  REQUIRE(step_time_spread(ten_seconds(), scenario) == Approx(std::sqrt(0.0129)));
  scenario.cluster.nodes = 1;  // no network, no jitter
  REQUIRE(step_time_spread(ten_seconds(), scenario) == Approx(std::sqrt(0.0113)));
}

TEST_CASE("without stalls the interval is 1.645 spreads either way", "[sim]") {
  const StepInterval interval = interval_of(scenario_on(4));
  REQUIRE(interval.low.value() == Approx(10 * std::exp(-1.6449 * 0.05)).epsilon(1e-4));
  REQUIRE(interval.high.value() == Approx(10 * std::exp(1.6449 * 0.05)).epsilon(1e-4));
}

TEST_CASE("where half of the runs stall, the interval ends beyond the stalled step", "[sim]") {
  // 9 micro-batches and 2 stages are 10 slots: 1 s each makes 20 s. With p = 1/2 the 95 % quantile
  // of the mixture is the 90 % quantile of the stalled runs, the 5 % one the 10 % of the others.
  Scenario scenario = scenario_on(4);
  scenario.profile.framework.stalls.rate_per_node.value = std::log(2.0) / 4;
  scenario.profile.framework.stalls.slot_time.value = 1_s;
  const StepInterval interval = interval_of(scenario);
  REQUIRE(interval.high.value() == Approx(20 * std::exp(1.28155 * 0.05)).epsilon(1e-4));
  REQUIRE(interval.low.value() == Approx(10 * std::exp(-1.28155 * 0.05)).epsilon(1e-4));
  scenario.job.plan.pipeline_parallel = 1;  // nothing stalls
  REQUIRE(interval_of(scenario).high < 11_s);
}
