#include "reports/sensitivity.h"

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cli/command.h"
#include "cli/predictions.h"
#include "reports/json.h"

namespace stepcast {
namespace {

std::vector<StepReport> reports_with_more(const Scenario& scenario,
                                          const ScenarioOptions& options) {
  std::vector<Scenario> scenarios;
  for (int i = 0; i < kNumResources; ++i) {
    scenarios.push_back(scaled(scenario, static_cast<Resource>(i), sensitivity_factor));
  }
  std::vector<StepReport> reports;
  for (PredictionOutcome& outcome : predict_with_progress(scenarios, options)) {
    if (!outcome.report) throw std::runtime_error(outcome.error);
    reports.push_back(std::move(*outcome.report));
  }
  return reports;
}

Answer run_sensitivity(const ScenarioOptions& options) {
  const Prediction before = predict_one(options, "sensitivity").answers.front();
  const std::vector<Sensitivity> all =
      sensitivities(before.report, reports_with_more(before.scenario, options));
  if (options.format == Format::Json) return {json_text(sensitivity_json(before, all))};
  return report(sensitivity_text(before, all));
}

}  // namespace

void add_sensitivity(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "sensitivity", "What 1 % more of each resource brings a step, the largest first");
  const auto options = std::make_shared<ScenarioOptions>();
  add_scenario_options(*command, *options, false);
  command->get_option("PATH")->description("A scenario");
  command->callback(
      [options, &chosen] { chosen = [options] { return run_sensitivity(*options); }; });
}

}  // namespace stepcast
