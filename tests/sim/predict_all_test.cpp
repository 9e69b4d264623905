#include "sim/predict_all.h"

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

#include "tests/support/small_scenario.h"

using namespace stepcast;
using namespace stepcast::test;

namespace {

// Seven scenarios that differ, so that answers cannot change places unseen.
std::vector<Scenario> seven_scenarios() {
  std::vector<Scenario> scenarios;
  for (int i = 1; i <= 7; ++i) {
    const std::string batch = std::to_string(16 * i);
    scenarios.push_back(read_text(small_scenario(
        R"({"title": "batch )" + batch + R"(", "batch": {"global_batch": )" + batch + "}}")));
  }
  return scenarios;
}

// A report that shows by which process it was made, and of which scenario.
StepReport marked_report(const Scenario& scenario) {
  StepReport report;
  report.title = scenario.title;
  report.step_time = Seconds(scenario.job.batch.global_batch);
  report.warnings = {"first", ""};
  report.claims = {{"tokens_per_s", 1, 2}};
  report.memory.stages.resize(2);
  report.memory.stages[1].allocated = Bytes(scenario.job.batch.global_batch);
  report.cost.emplace().training_hours = 4;
  return report;
}

const DoneNote kUnseen = [](std::size_t) {};

// The fourth of the seven ends badly as `end` says.
std::vector<PredictionOutcome> with_bad_fourth(const std::function<void()>& end, int jobs) {
  const Predictor predictor = [&](const Scenario& scenario) {
    if (scenario.job.batch.global_batch == 64) end();
    return marked_report(scenario);
  };
  return predict_all(seven_scenarios(), predictor, jobs, kUnseen);
}

void require_all_but_fourth(const std::vector<PredictionOutcome>& outcomes) {
  REQUIRE(outcomes.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) {
    CAPTURE(i);
    REQUIRE(outcomes[i].report.has_value() == (i != 3));
    if (i != 3) {
      REQUIRE(outcomes[i].report->step_time.value() == 16.0 * static_cast<double>(i + 1));
    }
  }
}

}  // namespace

TEST_CASE("predict_all: outcomes are in the order of the scenarios", "[sim][jobs]") {
  const int jobs = GENERATE(1, 2, 20);
  std::vector<std::size_t> notes;
  const std::vector<PredictionOutcome> outcomes = predict_all(
      seven_scenarios(), marked_report, jobs, [&](std::size_t done) { notes.push_back(done); });
  REQUIRE(outcomes.size() == 7);
  for (std::size_t i = 0; i < 7; ++i) {
    const StepReport& report = outcomes[i].report.value();
    const int batch = 16 * static_cast<int>(i + 1);
    REQUIRE(report.title == "batch " + std::to_string(batch));
    REQUIRE(report.step_time == Seconds(batch));
    REQUIRE(report.warnings == std::vector<std::string>{"first", ""});
    REQUIRE(report.claims.at(0).claim == "tokens_per_s");
    REQUIRE(report.memory.stages.at(1).allocated == Bytes(batch));
    REQUIRE(report.cost.value().training_hours == 4.0);
    REQUIRE_FALSE(report.cost->training_usd.has_value());
  }
  REQUIRE(notes == std::vector<std::size_t>{1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("predict_all: no scenarios give no outcomes", "[sim][jobs]") {
  REQUIRE(predict_all({}, marked_report, 2, kUnseen).empty());
}

TEST_CASE("predict_all: an exception is its scenario's error", "[sim][jobs]") {
  const auto outcomes =
      with_bad_fourth([] { throw std::runtime_error("no such luck"); }, GENERATE(1, 2));
  require_all_but_fourth(outcomes);
  REQUIRE(outcomes[3].error == "no such luck");
}

TEST_CASE("predict_all: a crash is its scenario's error, and the worker is replaced",
          "[sim][jobs]") {
  const auto outcomes = with_bad_fourth([] { std::_Exit(3); }, GENERATE(1, 2));
  require_all_but_fourth(outcomes);
  REQUIRE(outcomes[3].error == "the worker process failed: exit code 3");
}

TEST_CASE("predict_all: a killed worker is its scenario's error, and it is replaced",
          "[sim][jobs]") {
  const auto outcomes = with_bad_fourth([] { std::raise(SIGKILL); }, GENERATE(1, 2));
  require_all_but_fourth(outcomes);
  REQUIRE(outcomes[3].error == "the worker process failed: killed by signal Killed");
}

TEST_CASE("predict_all: the event engine's answers do not depend on the number of jobs",
          "[sim][jobs]") {
  const auto of = [](int jobs) {
    return predict_all(seven_scenarios(), PredictOptions{}, jobs, kUnseen);
  };
  const std::vector<PredictionOutcome> one = of(1);
  const std::vector<PredictionOutcome> two = of(2);
  for (std::size_t i = 0; i < 7; ++i) {
    const StepReport& a = one[i].report.value();
    const StepReport& b = two[i].report.value();
    REQUIRE(a.step_time == b.step_time);
    REQUIRE(a.breakdown == b.breakdown);
    REQUIRE(a.memory_peak() == b.memory_peak());
    REQUIRE(a.engine.activities == b.engine.activities);
  }
}
