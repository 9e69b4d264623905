// sensitivity: what a little more of each resource brings.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/run_program.h"

namespace stepcast {
using namespace stepcast::test;

TEST_CASE(
    "sensitivity on one node: NICs and memory capacity bring nothing, no resource shortens "
    "a step by more than its share",
    "[cli][contract]") {
  const TemporaryFolder folder;
  const ProgramEnd end =
      run_program({"sensitivity", folder.write("s.json", small_scenario()), "--format", "json"});
  INFO(end.errors);
  REQUIRE(end.exit_code == 0);
  const nlohmann::json answer = nlohmann::json::parse(end.output);
  REQUIRE(answer["sensitivities"].size() == 6);
  for (const nlohmann::json& one : answer["sensitivities"]) {
    CAPTURE(one.dump());
    const double elasticity = one["elasticity"];
    const std::string resource = one["resource"];
    if (resource == "nic_bandwidth" || resource == "memory_capacity") CHECK(elasticity == 0.0);
    if (resource == "latency") CHECK(elasticity >= 0.0);
    CHECK(std::abs(elasticity) <= 1.0);
  }
}

TEST_CASE("sensitivity is for one scenario, and no row of CSV", "[cli][contract]") {
  const TemporaryFolder folder;
  const std::string scenario = folder.write("s.json", small_scenario());
  CHECK(run_program({"sensitivity", scenario, scenario}).exit_code == 2);
  CHECK(run_program({"sensitivity", scenario, "--format", "csv"}).exit_code == 2);
}

}  // namespace stepcast
