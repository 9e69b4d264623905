#include "reports/validation.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/reports/hand_made.h"

namespace stepcast {
namespace {

using Catch::Matchers::WithinAbs;

ValidationRun timed(const std::string& title, Seconds predicted, Seconds measured) {
  ValidationRun run;
  run.title = title;
  run.predicted_step_time = predicted;
  run.low = 0.9 * predicted;
  run.high = 1.1 * predicted;
  run.step_time = {predicted.value(), measured.value()};
  run.measured_fits = true;
  return run;
}

ValidationRun out_of_memory(bool foreseen, bool inferred) {
  ValidationRun run;
  run.title = "ran out";
  run.predicted_step_time = 5_s;
  run.predicted_fits = !foreseen;
  run.measured_fits = false;
  run.fits_is_inferred = inferred;
  return run;
}

// Errors +0.1 (inside 9.9 .. 12.1: yes), -0.2 (7.2 .. 8.8: no), +0.03 (9.27 .. 11.33: yes).
ValidationSuite suite() {
  ValidationSuite suite{"measured", {}, {}};
  suite.runs = {timed("one", 11_s, 10_s), timed("two", 8_s, 10_s), timed("three", 10.3_s, 10_s),
                out_of_memory(true, false), out_of_memory(false, true)};
  suite.runs[0].peak_memory = {44e9, 40e9};
  suite.runs[0].predicted_fits = false;
  return suite;
}

template <class Value>
Scenario measured_scenario(std::optional<Value> Figures::*figure, Value value) {
  Scenario scenario = test::hand_made_scenario(2);
  scenario.measured.emplace();
  (*scenario.measured).*figure = value;
  return scenario;
}

}  // namespace

TEST_CASE("errors add up as worked by hand", "[reports]") {
  const ValidationFigures figures = validation_figures(suite().runs);
  REQUIRE(figures.runs == 5);
  REQUIRE(figures.timed_runs == 3);
  REQUIRE_THAT(*figures.step_time_mape, WithinAbs(0.33 / 3, 1e-12));
  REQUIRE_THAT(*figures.step_time_median_error, WithinAbs(0.1, 1e-12));
  REQUIRE_THAT(*figures.step_time_bias, WithinAbs(-0.07 / 3, 1e-12));
  REQUIRE_THAT(*figures.peak_memory_mape, WithinAbs(0.1, 1e-12));
  REQUIRE_THAT(*figures.interval_coverage_90, WithinAbs(2.0 / 3, 1e-12));
}

TEST_CASE("a median of two is their mean, and of nothing there is none", "[reports]") {
  const std::vector<ValidationRun> two{timed("", 11_s, 10_s), timed("", 8_s, 10_s)};
  REQUIRE_THAT(*validation_figures(two).step_time_median_error, WithinAbs(0.15, 1e-12));
  const ValidationFigures none = validation_figures({});
  REQUIRE_FALSE(none.step_time_mape);
  REQUIRE_FALSE(none.step_time_median_error);
  REQUIRE_FALSE(none.step_time_bias);
  REQUIRE_FALSE(none.peak_memory_mape);
  REQUIRE_FALSE(none.interval_coverage_90);
}

TEST_CASE("guessed labels of running out are counted apart", "[reports]") {
  const ValidationFigures figures = validation_figures(suite().runs);
  REQUIRE(figures.oom.true_positive == 1);
  REQUIRE(figures.oom.false_positive == 1);  // "one" ran, though it was predicted not to
  REQUIRE(figures.oom.true_negative == 2);
  REQUIRE(figures.oom.false_negative == 0);
  REQUIRE(figures.oom_inferred.false_negative == 1);
  REQUIRE(figures.oom_inferred.true_positive == 0);
}

TEST_CASE("a run's memory is judged by the kind that was measured", "[reports]") {
  const StepReport report = test::prediction_of_10_s().report;  // 43, 44 and 48 GiB
  const auto predicted = [&](MemoryKind kind) {
    Scenario scenario = measured_scenario(&Figures::peak_memory, 40_GiB);
    scenario.measured->memory_kind = kind;
    return Bytes(validation_run(scenario, report).peak_memory->predicted);
  };
  REQUIRE(predicted(MemoryKind::Allocated) == 43_GiB);
  REQUIRE(predicted(MemoryKind::Reserved) == 44_GiB);
  REQUIRE(predicted(MemoryKind::Device) == 48_GiB);
}

TEST_CASE("a measured peak is the first stage's unless it is said to be the fullest one's",
          "[reports]") {
  StepReport report = test::prediction_of_10_s().report;
  StageMemory second = report.memory.stages.front();
  second.device = 60_GiB;
  report.memory.stages.push_back(second);
  Scenario scenario = measured_scenario(&Figures::peak_memory, 40_GiB);
  scenario.measured->memory_kind = MemoryKind::Device;
  REQUIRE(Bytes(validation_run(scenario, report).peak_memory->predicted) == 48_GiB);
  scenario.measured->memory_of = MemoryPlace::FullestStage;
  REQUIRE(Bytes(validation_run(scenario, report).peak_memory->predicted) == 60_GiB);
}

TEST_CASE("a measured throughput is a step time", "[reports]") {
  const StepReport report = test::prediction_of_10_s().report;
  const auto measured = [&](const Scenario& scenario) {
    return validation_run(scenario, report).step_time->measured;
  };
  // 64,000 tokens a step on 16 GPUs
  REQUIRE(measured(measured_scenario(&Figures::step_time, 8_s)) == 8.0);
  REQUIRE(measured(measured_scenario(&Figures::tokens_per_s, 8000.0)) == 8.0);
  REQUIRE(measured(measured_scenario(&Figures::tokens_per_s_per_gpu, 500.0)) == 8.0);
}

TEST_CASE("a run that was timed did fit and one without measurements says nothing", "[reports]") {
  const StepReport report = test::prediction_of_10_s().report;
  const auto measured_fits = [&](const Scenario& scenario) {
    return validation_run(scenario, report).measured_fits;
  };
  REQUIRE(measured_fits(measured_scenario(&Figures::step_time, 8_s)) == true);
  REQUIRE(measured_fits(measured_scenario(&Figures::fits, false)) == false);
  const ValidationRun silent = validation_run(test::hand_made_scenario(2), report);
  REQUIRE_FALSE(silent.measured_fits);
  REQUIRE_FALSE(silent.step_time);
  REQUIRE_FALSE(silent.peak_memory);
}

TEST_CASE("the worst runs come furthest off first", "[reports]") {
  const std::vector<ValidationRun> worst = worst_runs(suite(), 2);
  REQUIRE(worst.size() == 2);
  REQUIRE(worst[0].title == "two");
  REQUIRE(worst[1].title == "one");
  REQUIRE(worst_runs(suite(), 9).size() == 3);
}

TEST_CASE("a validation as JSON has the contract's keys", "[reports][contract]") {
  std::vector<ValidationSuite> suites{suite()};
  suites[0].errors = {{"broken", "unknown key"}};
  const nlohmann::ordered_json json = validation_json(suites);
  for (const char* key : {"step_time_mape", "step_time_median_error", "step_time_bias",
                          "peak_memory_mape", "interval_coverage_90"}) {
    CHECK(json[key].is_number());
    CHECK(json["suites"][0][key] == json[key]);
  }
  REQUIRE(json["oom"] == nlohmann::ordered_json{{"true_positive", 1},
                                                {"false_positive", 1},
                                                {"true_negative", 2},
                                                {"false_negative", 0}});
  REQUIRE(json["runs"].size() == 5);
  REQUIRE(json["runs"][0]["title"] == "one");
  REQUIRE(json["runs"][0]["predicted"] == 11.0);
  REQUIRE(json["runs"][0]["measured"] == 10.0);
  REQUIRE(json["runs"][0]["error"].get<double>() == Approx(0.1));
  REQUIRE(json["runs"][3]["error"].is_null());
  REQUIRE(json["suites"][0]["worst"][0]["title"] == "two");
  REQUIRE(json["errors"][0]["message"] == "unknown key");
}

TEST_CASE("a validation as CSV has a row for each run", "[reports]") {
  ValidationSuite small{"s", {timed("one", 8_s, 10_s), out_of_memory(true, true)}, {}};
  const std::string csv = validation_csv(std::vector<ValidationSuite>{small});
  REQUIRE(csv ==
          "suite,title,predicted_step_time_s,predicted_low_s,predicted_high_s,"
          "measured_step_time_s,step_time_error,predicted_peak_memory_bytes,"
          "measured_peak_memory_bytes,peak_memory_error,predicted_fits,measured_fits,"
          "fits_is_inferred,stalled\n"
          "s,one,8,7.2,8.8,10,-0.19999999999999996,,,,true,true,false,false\n"
          "s,ran out,5,0,0,,,,,,false,false,true,false\n");
}

TEST_CASE("a validation as text, whole", "[reports]") {
  ValidationSuite other{"other", {timed("four", 10.5_s, 10_s)}, {{"broken", "unknown key"}}};
  // All: (0.33 + 0.05) / 4 = 9.5 %, median (5 + 10) / 2 %, bias (-7 + 5) / 4 %, 3 of 4 inside.
  const std::string expected =
      R"(Errors of the step time, predicted / measured - 1, and of the peak memory
            runs   MAPE  median    bias  in 90 %  its width  memory MAPE
  measured     5   11 %    10 %  -2.3 %   66.7 %       20 %         10 %
  other        1    5 %     5 %    +5 %    100 %       20 %            -
  all          6  9.5 %   7.5 %  -0.5 %     75 %       20 %         10 %

Furthest off
            predicted  measured  error
  measured
    two           8 s      10 s  -20 %
    one          11 s      10 s  +10 %
    three      10.3 s      10 s   +3 %
  other
    four       10.5 s      10 s   +5 %

Running out of memory
                        failures foreseen  false alarms
  stated by the source             1 of 1        1 of 4
  inferred                         0 of 1        0 of 0

Predicted risk of running out, and what came of it
  predicted risk  mean  ran  failed  inferred failures  share that ran
  0 to 1 %         0 %    4       1                  1            80 %

Without an answer
  broken: unknown key
)";
  REQUIRE(validation_text(std::vector<ValidationSuite>{suite(), other}) == expected);
}

TEST_CASE("the reliability of the risk counts what came of the runs of each bin", "[reports]") {
  const auto run = [](double probability, bool fitted, bool inferred) {
    ValidationRun made;
    made.oom_probability = probability;
    made.measured_fits = fitted;
    made.fits_is_inferred = inferred;
    return made;
  };
  std::vector<ValidationRun> runs{run(0.0, true, false), run(0.002, true, false),
                                  run(0.5, true, false), run(0.7, false, false),
                                  run(0.7, false, true), run(1.0, false, true)};
  runs.emplace_back();  // nothing is known of how it ended
  const std::vector<ReliabilityBin> bins = oom_reliability(runs);
  REQUIRE(bins.front().ran == 2);
  REQUIRE(bins.front().mean_probability == Approx(0.001));
  REQUIRE(bins.front().share_that_ran() == 1.0);
  const auto half =
      std::find_if(bins.begin(), bins.end(), [](const auto& b) { return b.from == 0.5; });
  REQUIRE(half->ran == 1);
  REQUIRE(half->failed == 1);
  REQUIRE(half->failed_inferred == 1);
  REQUIRE(half->mean_probability == Approx((0.5 + 0.7 + 0.7) / 3));
  REQUIRE(half->share_that_ran() == 0.5);  // inferred failures are no evidence
  REQUIRE(bins.back().failed_inferred == 1);
  REQUIRE_FALSE(bins.back().share_that_ran().has_value());
}

}  // namespace stepcast
