#include "reports/chrome_trace.h"

#include <catch2/catch.hpp>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "sim/summarize.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using nlohmann::json;

namespace {

// Two stages that pass messages, tensor groups of two.
Scenario small_pipeline() {
  return test::read_text(test::small_scenario(R"({
    "plan": {"tensor_parallel": 2, "pipeline_parallel": 2},
    "batch": {"global_batch": 32}
  })"));
}

struct TracedStep {
  StepReport report;
  json trace;
};

TracedStep traced(const Scenario& scenario) {
  std::ostringstream text;
  const SimulatedStep step = simulate(scenario, {});
  write_chrome_trace(text, step);
  return {summarize(step.run, step.folded, scenario), json::parse(text.str())};
}

}  // namespace

TEST_CASE("a trace's activities add up to the report's breakdown, without gaps", "[reports]") {
  const auto [report, trace] = traced(small_pipeline());
  std::map<std::string, double> sums;
  double reached = 0;
  for (const json& event : trace["traceEvents"]) {
    if (event.value("cat", "") != "activity") continue;
    REQUIRE(event["pid"] == trace["otherData"]["critical_process"]);
    REQUIRE(event["ts"].get<double>() == Approx(reached).margin(1e-6));
    reached = event["ts"].get<double>() + event["dur"].get<double>();
    sums[event["name"]] += event["dur"].get<double>() * 1e-6;
  }
  REQUIRE(reached * 1e-6 == Approx(report.step_time.value()).epsilon(1e-12));
  for (int a = 0; a < kNumActivities; ++a) {
    const auto activity = static_cast<Activity>(a);
    CAPTURE(word(activity));
    REQUIRE(sums[std::string(word(activity))] ==
            Approx(report.breakdown[static_cast<std::size_t>(a)].value()).margin(1e-12));
  }
}

TEST_CASE("a trace's slices of one thread do not overlap, and all lie in the step", "[reports]") {
  const auto [report, trace] = traced(small_pipeline());
  std::map<std::pair<int, int>, double> reached;
  int slices = 0;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] != "X") continue;
    ++slices;
    double& end = reached[{event["pid"], event["tid"]}];
    REQUIRE(event["ts"].get<double>() >= end - 1e-6);
    end = event["ts"].get<double>() + event["dur"].get<double>();
    REQUIRE(end * 1e-6 <= report.step_time.value() * (1 + 1e-12));
  }
  // 8 micro-batches forward and backward on two stages at the least.
  REQUIRE(slices >= 2 * 2 * 8);
}

TEST_CASE("every message of a trace is an arrow from a sender to a receiver", "[reports]") {
  const auto [report, trace] = traced(small_pipeline());
  std::map<std::int64_t, double> sent;
  std::set<std::int64_t> received;
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] == "s") REQUIRE(sent.emplace(event["id"], event["ts"]).second);
  }
  for (const json& event : trace["traceEvents"]) {
    if (event["ph"] != "f") continue;
    REQUIRE(received.insert(event["id"].get<std::int64_t>()).second);
    REQUIRE(event["ts"].get<double>() >= sent.at(event["id"]));
  }
  const int micro_batches = 32 / 2 / 1;  // 4 GPUs a replica on 8 GPUs: 2 replicas
  REQUIRE(sent.size() == 2u * static_cast<unsigned>(micro_batches));  // forward and backward
  REQUIRE(received.size() == sent.size());
}
