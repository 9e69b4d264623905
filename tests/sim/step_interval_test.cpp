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
  StepReport report = ten_seconds();
  report.stall = stall_risk(scenario.job, scenario.profile.framework.stalls, scenario.cluster);
  return step_interval(report, step_time_spread(report, scenario));
}

// Two stages on two nodes of which each message of a stalled run takes a share of ten seconds:
// 9 micro-batches wait for 8 x 2 + 2 = 18 of them.
Scenario scenario_that_stalls(double chance) {
  Scenario scenario = scenario_on(2);
  scenario.cluster.gpus_per_node = 1;
  scenario.profile.framework.stalls.message_time.value = 10_s / 18;
  scenario.profile.framework.stalls.base_chance.value = chance;
  scenario.profile.framework.stalls.nodes.value = 1e6;  // far from adding to it
  return scenario;
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
  // Ten seconds and ten more. With p = 1/2 the 95 % quantile of the mixture is the 90 % quantile of
  // the stalled runs, the 5 % one the 10 % of the others.
  Scenario scenario = scenario_that_stalls(0.5);
  const StepInterval interval = interval_of(scenario);
  REQUIRE(interval.high.value() == Approx(20 * std::exp(1.28155 * 0.05)).epsilon(1e-4));
  REQUIRE(interval.low.value() == Approx(10 * std::exp(-1.28155 * 0.05)).epsilon(1e-4));
  scenario.job.plan.pipeline_parallel = 1;  // nothing stalls
  REQUIRE(interval_of(scenario).high < 11_s);
}

TEST_CASE("where most runs stall, the predicted step is theirs and the interval begins below it",
          "[sim]") {
  // The report's ten seconds are the stalled step; a free one takes 10 - 18 x 0.4 = 2.8 s. Of the
  // quarter that is free, one in five lies below the 5 % quantile; of the stalled three quarters
  // one in fifteen above the 95 % one.
  Scenario scenario = scenario_that_stalls(0.75);
  scenario.profile.framework.stalls.message_time.value = 0.4_s;
  const StepInterval interval = interval_of(scenario);
  REQUIRE(interval.low.value() == Approx(2.8 * std::exp(-0.84162 * 0.05)).epsilon(1e-4));
  REQUIRE(interval.high.value() == Approx(10 * std::exp(1.50109 * 0.05)).epsilon(1e-4));
}
