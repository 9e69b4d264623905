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
  scenario.cluster.node.gpu.fp16 = 312_TFLOP_per_s;
  scenario.cluster.node.gpu.memory = 80_GiB;
  const Scenario more = scaled(scenario, Resource::FlopRate, 2.0);
  CHECK(more.cluster.node.gpu.fp16 == 624_TFLOP_per_s);
  CHECK(more.cluster.node.gpu.memory == 80_GiB);
  CHECK(more.node_name == "");
  CHECK(scaled(scenario, Resource::MemoryCapacity, 2.0).cluster.node.gpu.memory == 160_GiB);
}

}  // namespace stepcast
