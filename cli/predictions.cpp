#include "cli/predictions.h"

#include <fmt/format.h>

#include <cstdio>
#include <utility>

#include "base/input_error.h"
#include "cli/progress_line.h"
#include "sim/claims.h"

namespace stepcast {
std::vector<PredictionOutcome> predict_with_progress(const std::vector<Scenario>& scenarios,
                                                     const ScenarioOptions& options) {
  ProgressLine line(options.quiet);
  return predict_all(scenarios, PredictOptions{.engine = options.engine, .links = options.links},
                     options.jobs,
                     [&](std::size_t done) { line.show_share(done, scenarios.size()); });
}

namespace {

std::vector<Scenario> read_paths(const ScenarioOptions& options) {
  std::vector<Scenario> scenarios;
  for (const std::string& path : options.paths) {
    for (const std::string& file : scenario_files(path)) {
      for (Scenario& scenario : read_scenarios(file, options.read)) {
        scenarios.push_back(std::move(scenario));
      }
    }
  }
  return scenarios;
}

}  // namespace

namespace {

// Claims of one run beside another: once both have their answers.
void check_comparisons(const std::vector<Scenario>& scenarios,
                       const std::vector<std::optional<std::size_t>>& others,
                       std::vector<PredictionOutcome>& outcomes) {
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    if (!others[i] || !outcomes[i].report || !outcomes[*others[i]].report) continue;
    const std::vector<ClaimCheck> checks = check_comparison(
        *scenarios[i].claimed->compared, *outcomes[i].report, *outcomes[*others[i]].report);
    auto& claims = outcomes[i].report->claims;
    claims.insert(claims.end(), checks.begin(), checks.end());
  }
}

}  // namespace

Predictions predict_paths(const ScenarioOptions& options) {
  std::vector<Scenario> scenarios = read_paths(options);
  const std::vector<std::optional<std::size_t>> others = compared_runs(scenarios);
  std::vector<PredictionOutcome> outcomes = predict_with_progress(scenarios, options);
  check_comparisons(scenarios, others, outcomes);
  Predictions predictions;
  for (std::size_t i = 0; i < scenarios.size(); ++i) {
    PredictionOutcome& outcome = outcomes[i];
    if (outcome.report) {
      predictions.answers.push_back({std::move(scenarios[i]), std::move(*outcome.report)});
      continue;
    }
    predictions.complete = false;
    std::fputs(fmt::format("stepcast: {}: {}\n", scenarios[i].title, outcome.error).c_str(),
               stderr);
  }
  return predictions;
}

Predictions predict_one(const ScenarioOptions& options, const std::string& option,
                        const StepWatcher& watch) {
  std::vector<Scenario> scenarios = read_paths(options);
  if (scenarios.size() != 1) {
    throw InputError({options.paths.front(), ""},
                     fmt::format("{} is for one scenario, here are {}", option, scenarios.size()),
                     "name one file that holds one scenario");
  }
  StepReport report =
      predict(scenarios.front(), {.engine = options.engine, .links = options.links}, watch);
  Predictions predictions;
  predictions.answers.push_back({std::move(scenarios.front()), std::move(report)});
  return predictions;
}

}  // namespace stepcast
