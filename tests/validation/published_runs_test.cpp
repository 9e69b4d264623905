// Predictions beside published runs. Bounds only tighten. The project's own suites always run, of
// runs that no constant was fitted to; the publishers' suites run where the data folder stands
// beside the project.
#include <catch2/catch.hpp>
#include <filesystem>

#include "reports/validation.h"
#include "scenarios/scenario.h"
#include "sim/predict_all.h"

using namespace stepcast;

namespace {

ValidationSuite judge(const std::string& file) {
  const SuiteReading reading = read_suite(file, {});
  const auto outcomes =
      predict_all(reading.scenarios, {.engine = EngineChoice::Auto}, 2, [](std::size_t) {});
  ValidationSuite suite{std::filesystem::path(file).stem().string(), {}, {}};
  std::vector<const Scenario*> answered;
  for (const ScenarioFault& fault : reading.faults) {
    suite.errors.push_back({fault.title, fault.message});
  }
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].report) {
      suite.errors.push_back({reading.scenarios[i].title, outcomes[i].error});
      continue;
    }
    suite.runs.push_back(validation_run(reading.scenarios[i], *outcomes[i].report));
    answered.push_back(&reading.scenarios[i]);
  }
  mark_stalled(suite, answered);
  return suite;
}

struct Bound {
  std::string suite;
  double mape;      ///< of the runs that did not stall
  double coverage;  ///< of the 90 % intervals, stalled runs among them
};

}  // namespace

TEST_CASE("published runs that nothing was fitted to: all answered, within their bounds",
          "[validation]") {
  const auto [name, mape, coverage] = GENERATE(values<Bound>({{"bigscience_tr11_a100", 0.05, 0.9},
                                                              {"bigscience_v100_1b3", 0.07, 0.8},
                                                              {"bigscience_v100_gpt2", 0.07, 0.5},
                                                              {"fms_fsdp", 0.05, 0.85},
                                                              {"llm_foundry", 0.033, 0.9},
                                                              {"megatron_sc21_table1", 0.025, 0.85},
                                                              {"megatron_sc21_table2", 0.06, 0.85},
                                                              {"nanotron_playbook", 0.11, 0.85},
                                                              {"simumax_b200", 0.03, 0.85},
                                                              {"vtrain_multi", 0.08, 0.85},
                                                              {"vtrain_single", 0.09, 0.65}}));
  CAPTURE(name);
  const ValidationSuite suite = judge("scenarios/validation/" + name + ".json");
  REQUIRE(suite.errors.empty());
  const std::vector<ValidationRun> unstalled = unstalled_runs(suite.runs);
  REQUIRE(*validation_figures(unstalled).step_time_mape < mape);
  REQUIRE(*validation_figures(suite.runs).interval_coverage_90 > coverage);
}

TEST_CASE("at least 150 published runs judge, from every source", "[validation]") {
  std::size_t runs = 0;
  for (const std::string& file : scenario_files("scenarios/validation")) {
    const SuiteReading reading = read_suite(file, {});
    REQUIRE(reading.faults.empty());
    for (const Scenario& scenario : reading.scenarios) {
      REQUIRE(scenario.measured);
      ++runs;
    }
  }
  REQUIRE(runs >= 150);
}

TEST_CASE("the publishers' suites: every run answered, mean errors within their bounds",
          "[validation]") {
  struct Mean {
    std::string suite;
    double mape;
  };
  const auto [name, mape] = GENERATE(values<Mean>({{"bigscience_tr11_a100", 0.045},
                                                   {"bigscience_v100_1b3", 0.06},
                                                   {"bigscience_v100_gpt2", 0.125},
                                                   {"fms_fsdp", 0.055},
                                                   {"llm_foundry", 0.04},
                                                   {"megatron_sc21_table1", 0.03},
                                                   {"megatron_sc21_table2", 0.07},
                                                   {"nanotron_playbook", 0.10},
                                                   {"simumax_b200", 0.03},
                                                   {"vtrain_multi", 0.08},
                                                   {"vtrain_single", 0.07}}));
  CAPTURE(name);
  const std::string file = "../shared/data/runs/" + name + ".json";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: " << name << " is not here");
    return;
  }
  const ValidationSuite suite = judge(file);
  REQUIRE(suite.errors.empty());
  REQUIRE(*validation_figures(unstalled_runs(suite.runs)).step_time_mape < mape);
}
