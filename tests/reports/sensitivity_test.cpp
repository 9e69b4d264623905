#include "reports/sensitivity.h"

#include <catch2/catch.hpp>

#include "tests/reports/hand_made.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinRel;

StepReport report_of(Seconds step_time) {
  StepReport report = test::prediction_of_10_s().report;
  test::set_rates(report, step_time);
  return report;
}

}  // namespace

TEST_CASE(
    "a step that goes as the inverse of a resource has elasticity -1, one that is "
    "proportional +1, one that does not feel it 0",
    "[reports]") {
  const std::vector<Sensitivity> all = sensitivities(
      report_of(10_s), {report_of(10_s), report_of(10_s / 1.01), report_of(10_s), report_of(10_s),
                        report_of(10_s * 1.01 * 1.01), report_of(10_s)});
  // Squared latency is the largest, the inverse next, and the others stay in their order.
  CHECK(all.at(0).resource == Resource::Latency);
  CHECK_THAT(all.at(0).elasticity, WithinRel(2.0, 1e-9));
  CHECK(all.at(1).resource == Resource::MemoryBandwidth);
  CHECK_THAT(all.at(1).elasticity, WithinRel(-1.0, 1e-9));
  CHECK_THAT(all.at(1).step_change.value(), WithinRel(10.0 / 1.01 - 10.0, 1e-9));
  CHECK(all.at(2).resource == Resource::FlopRate);
  CHECK(all.at(2).elasticity == 0.0);
  CHECK(all.at(5).resource == Resource::MemoryCapacity);
}

TEST_CASE("a scenario with more of a resource has that much more of it and of nothing else",
          "[reports]") {
  Scenario scenario = test::hand_made_scenario(2);
  auto& node = scenario.cluster.node;
  node.gpu.fp16 = 312_TFLOP_per_s;
  node.gpu.memory_bandwidth = 2000_GB_per_s;
  node.gpu.memory = 80_GiB;
  node.nvlink_bandwidth = 300_GB_per_s;
  scenario.cluster.fabric.nic_bandwidth = 25_GB_per_s;
  NetworkProfile& network = scenario.profile.network;
  network.intra_bandwidth_factor.value = 0.8;
  network.bandwidth_factor.value = 0.9;
  network.latency_factor.value = 1.5;
  network.intra_latency_factor.value = 1.25;

  // Every place that some resource scales, in the order of the resources; latency is the last two.
  const auto places = [](const Scenario& of) {
    const GpuSpec& gpu = of.cluster.node.gpu;
    const NetworkProfile& profile = of.profile.network;
    return std::vector<double>{gpu.fp16 / 312_TFLOP_per_s,
                               gpu.memory_bandwidth / 2000_GB_per_s,
                               profile.intra_bandwidth_factor.value / 0.8,
                               of.cluster.fabric.nic_bandwidth / 25_GB_per_s,
                               profile.bandwidth_factor.value / 0.9,
                               gpu.memory / 80_GiB,
                               profile.latency_factor.value / 1.5,
                               profile.intra_latency_factor.value / 1.25};
  };
  using Places = std::vector<double>;
  CHECK(places(scaled(scenario, Resource::FlopRate, 2.0)) == Places{2, 1, 1, 1, 1, 1, 1, 1});
  CHECK(places(scaled(scenario, Resource::MemoryBandwidth, 2.0)) == Places{1, 2, 1, 1, 1, 1, 1, 1});
  CHECK(places(scaled(scenario, Resource::NvLink, 2.0)) == Places{1, 1, 2, 1, 1, 1, 1, 1});
  CHECK(places(scaled(scenario, Resource::NicBandwidth, 2.0)) == Places{1, 1, 1, 2, 2, 1, 1, 1});
  CHECK(places(scaled(scenario, Resource::MemoryCapacity, 2.0)) == Places{1, 1, 1, 1, 1, 2, 1, 1});
  CHECK(places(scaled(scenario, Resource::Latency, 2.0)) == Places{1, 1, 1, 1, 1, 1, 2, 2});
  CHECK(scaled(scenario, Resource::FlopRate, 2.0).node_name == "");
}

TEST_CASE("without NVLink there is no more of it", "[reports]") {
  Scenario scenario = test::hand_made_scenario(2);
  scenario.cluster.node.nvlink_bandwidth = 0_GB_per_s;
  scenario.profile.network.intra_bandwidth_factor.value = 0.8;
  const Scenario more = scaled(scenario, Resource::NvLink, 2.0);
  CHECK(more.profile.network.intra_bandwidth_factor.value == 0.8);
}

}  // namespace stepcast
