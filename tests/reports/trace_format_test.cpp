// Traces of the guide scenarios and of a trillion parameters: files that Perfetto opens, whose
// slices, counters and report say the same.
#include "tests/reports/trace_format.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "reports/chrome_trace.h"
#include "sim/summarize.h"
#include "tests/support/small_scenario.h"

using namespace stepcast;
using stepcast::test::TraceReading;

namespace {

struct TracedFile {
  StepReport report;
  TraceReading trace;
  int rank_classes;
};

TracedFile traced_through_a_file(const Scenario& scenario) {
  const test::TemporaryFolder folder;
  const std::string file = folder.path("trace.json");
  const SimulatedStep step = simulate(scenario, {.engine = EngineChoice::Auto});
  {
    std::ofstream out(file);
    write_chrome_trace(out, step);
  }
  std::ifstream in(file);
  return {summarize(step.run, step.folded, scenario), test::TraceReader().read(in),
          static_cast<int>(step.folded.ranks.size())};
}

void check_trace(const TracedFile& traced) {
  const auto& [report, trace, rank_classes] = traced;
  CHECK(trace.faults == std::vector<std::string>());
  CHECK(trace.events.at("X") > 0);
  CHECK(static_cast<int>(trace.processes.size()) == rank_classes + 1);  // and the links
  double sum = 0;
  for (int a = 0; a < kNumActivities; ++a) {
    const std::string name(word(static_cast<Activity>(a)));
    const auto drawn = trace.activity_seconds.find(name);
    const double seconds = drawn == trace.activity_seconds.end() ? 0.0 : drawn->second;
    CAPTURE(name);
    CHECK(seconds == Approx(report.breakdown[static_cast<std::size_t>(a)].value())
                         .margin(1e-9 * report.step_time.value()));
    sum += seconds;
  }
  CHECK(sum == Approx(report.step_time.value()).epsilon(1e-9));
  Bytes highest;
  for (const StageMemory& stage : report.memory.stages) {
    highest = std::max(highest, stage.allocated);
  }
  CHECK(trace.most.at("allocated memory") == Approx(highest.value()).margin(1.0));
}

std::vector<std::string> rules_broken(const std::string& events) {
  std::istringstream in(R"({"traceEvents":[)" + events + "]}");
  std::vector<std::string> rules;
  for (const std::string& fault : test::TraceReader().read(in).faults) {
    rules.push_back(fault.substr(0, fault.find(':')));
  }
  return rules;
}

constexpr const char* named =
    R"({"ph":"M","pid":0,"name":"process_name","args":{"name":"rank 0"}},
       {"ph":"M","pid":0,"tid":1,"name":"thread_name","args":{"name":"compute"}},
       {"ph":"X","pid":0,"tid":1,"cat":"compute","name":"forward","ts":0,"dur":2})";

}  // namespace

TEST_CASE("the trace of each guide scenario keeps to the format and sums to the breakdown",
          "[reports][slow]") {
  for (const std::string& file : scenario_files("scenarios/guide")) {
    for (const Scenario& scenario : read_scenarios(file, {})) {
      INFO(file << ": " << scenario.title);
      check_trace(traced_through_a_file(scenario));
    }
  }
}

TEST_CASE("a trillion parameters on 3,072 GPUs: a trace of one rank of each kind",
          "[reports][slow]") {
  const auto runs = read_scenarios("scenarios/validation/megatron_sc21_table1.json", {});
  const auto run = std::find_if(runs.begin(), runs.end(), [](const Scenario& scenario) {
    return scenario.cluster.nodes == 384;  // of 8 GPUs
  });
  REQUIRE(run != runs.end());
  const TracedFile traced = traced_through_a_file(*run);
  check_trace(traced);
  // One class a stage stands for 3,072 ranks; each of 64 stages passes 512 micro-batches on, both
  // ways: 3,072 sequences over 6 replicas.
  CHECK(traced.rank_classes == 64);
  CHECK(traced.trace.events.at("s") == 2 * 63 * 512);
}

TEST_CASE("what is no trace is found out", "[reports]") {
  using Rules = std::vector<std::string>;
  const std::string start = std::string(named) + ",";
  CHECK(rules_broken(named) == Rules());
  CHECK(rules_broken(start + R"({"ph":"Q","pid":0,"name":"a"})") == Rules{"phase is known"});
  CHECK(rules_broken(start + R"({"ph":"C","pid":1,"name":"a","ts":1,"args":{"bytes":1}})") ==
        Rules{"every process has a name"});
  CHECK(rules_broken(start + R"({"ph":"C","pid":0,"name":"a","ts":1,"args":{"bytes":"1"}})") ==
        Rules{"a counter's value is a number"});
  CHECK(rules_broken(start + R"({"ph":"X","pid":0,"tid":1,"cat":"c","name":"a","ts":1,"dur":2})") ==
        Rules{"slices do not overlap"});
  const std::string begin =
      R"({"ph":"s","pid":0,"tid":1,"cat":"message","name":"message","id":1,"ts":0.5})";
  CHECK(rules_broken(start + begin) == Rules{"every arrow begins and ends"});
  CHECK(
      rules_broken(start + begin +
                   R"(,{"ph":"f","bp":"e","pid":0,"tid":1,"cat":"m","name":"m","id":1,"ts":2})") ==
      Rules{"an arrow joins slices"});
}
