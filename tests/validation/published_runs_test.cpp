// Predictions beside published runs. Bounds only tighten. The project's own suites always run; the
// publishers' suites run where the data folder stands beside the project.
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "reports/validation.h"
#include "scenarios/scenario.h"
#include "sim/predict_all.h"

using namespace stepcast;

namespace {

struct Judgement {
  std::size_t answered = 0;
  std::size_t runs = 0;
  double mape = 0;  ///< of the step time, over the runs that were measured
};

Judgement judge(const std::string& file) {
  const SuiteReading reading = read_suite(file, {});
  const auto outcomes =
      predict_all(reading.scenarios, {.engine = EngineChoice::Auto}, 2, [](std::size_t) {});
  Judgement judgement;
  judgement.runs = reading.scenarios.size() + reading.faults.size();
  double sum = 0;
  int measured = 0;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    if (!outcomes[i].report) continue;
    ++judgement.answered;
    const auto& figures = reading.scenarios[i].measured;
    if (!figures || !figures->step_time) continue;
    sum += std::abs(outcomes[i].report->step_time / *figures->step_time - 1.0);
    ++measured;
  }
  REQUIRE(measured > 0);
  judgement.mape = sum / measured;
  return judgement;
}

}  // namespace

TEST_CASE("table 1 of SC '21: every run answered, within 4 % in the mean", "[validation]") {
  const Judgement judgement = judge("scenarios/validation/megatron_sc21_table1.json");
  REQUIRE(judgement.answered == judgement.runs);
  REQUIRE(judgement.mape < 0.04);
}

TEST_CASE("the publishers' suites: every run answered, mean errors within their bounds",
          "[validation]") {
  struct Bound {
    std::string suite;
    double mape;
  };
  const auto [suite, mape] = GENERATE(values<Bound>({{"megatron_sc21_table1", 0.04},
                                                     {"megatron_sc21_table2", 0.10},
                                                     {"vtrain_multi", 0.08},
                                                     {"vtrain_single", 0.07},
                                                     {"llm_foundry", 0.05},
                                                     {"bigscience_tr11_a100", 0.045},
                                                     {"fms_fsdp", 0.08},
                                                     {"simumax_b200", 0.04}}));
  CAPTURE(suite);
  const std::string file = "../shared/data/runs/" + suite + ".json";
  if (!std::filesystem::exists(file)) {
    WARN("skipped: " << suite << " is not here");
    return;
  }
  const Judgement judgement = judge(file);
  REQUIRE(judgement.answered == judgement.runs);
  REQUIRE(judgement.mape < mape);
}
