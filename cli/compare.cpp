#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/input_error.h"
#include "cli/command.h"
#include "cli/predictions.h"
#include "cli/report_file.h"
#include "reports/comparison.h"
#include "reports/comparison_text.h"
#include "reports/csv.h"
#include "reports/html.h"
#include "reports/json.h"

namespace stepcast {
namespace {

Answer run_compare(const ScenarioOptions& options) {
  check_report_file(options);
  const Predictions outcome = predict_paths(options);
  const std::vector<Prediction>& predictions = outcome.answers;
  if (!outcome.complete) throw std::runtime_error("there is no comparison without all answers");
  if (predictions.size() < 2) {
    throw InputError({options.paths.front(), ""}, "one scenario is nothing to compare",
                     "name a second scenario, or a suite");
  }
  if (options.report) write_report_file(*options.report, comparison_html(predictions));
  switch (options.format) {
    case Format::Text:
      return {comparison_text(predictions)};
    case Format::Json:
      return {json_text(comparison_json(predictions))};
    case Format::Csv:
      return {results_csv(predictions)};
  }
  return {};
}

}  // namespace

void add_compare(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "compare",
      "Scenarios side by side: what moves from the first to each other, and by how much");
  const auto options = std::make_shared<ScenarioOptions>();
  add_scenario_options(*command, *options);
  add_report_option(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return run_compare(*options); }; });
}

}  // namespace stepcast
