// A slow part of the cluster, from the scenario's text to the report.
#include <catch2/catch.hpp>

#include "sim/predict.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

StepReport report_with(const std::string& faults) {
  const std::string patch = R"({
    "cluster": {"nodes": 2, "fabric": "hdr_rail"},
    "faults": )" + faults + R"(,
    "plan": {"tensor_parallel": 2, "pipeline_parallel": 2},
    "batch": {"global_batch": 32}
  })";
  return predict(read_text(small_scenario(patch)), {});
}

}  // namespace

TEST_CASE("one slow GPU slows the step and splits the classes", "[sim][folding]") {
  const StepReport healthy = report_with("[]");
  const StepReport slow = report_with(R"([{"gpu": 5, "rate": 0.5}])");
  // A GPU at half rate computes for twice as long, and everybody waits for it.
  REQUIRE(slow.step_time > 1.3 * healthy.step_time);
  REQUIRE(slow.step_time < 2.0 * healthy.step_time);
  REQUIRE(healthy.engine.rank_classes == 2);
  REQUIRE(slow.engine.rank_classes > 2);
}

TEST_CASE("one slow NIC slows the step and splits the classes", "[sim][folding]") {
  const StepReport healthy = report_with("[]");
  const StepReport slow = report_with(R"([{"link": "node0/nic2", "bandwidth": "1 Gbit/s"}])");
  REQUIRE(slow.step_time > healthy.step_time);
  REQUIRE(slow.engine.rank_classes > healthy.engine.rank_classes);
}
