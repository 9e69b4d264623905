#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "base/input_error.h"
#include "cli/command.h"
#include "cli/compare_search.h"
#include "cli/predictions.h"
#include "cli/report_file.h"
#include "reports/comparison.h"
#include "reports/comparison_text.h"
#include "reports/csv.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/step_drawing.h"

namespace stepcast {
namespace {

struct CompareOptions : ScenarioOptions {
  bool search = false;
  SearchOptions of_search;
};

Answer run_compare(const CompareOptions& options) {
  check_report_file(options.report);
  if (options.search) return compare_best(options, options.of_search);
  const Predictions outcome = predict_paths(options);
  const std::vector<Prediction>& predictions = outcome.answers;
  if (!outcome.complete) throw std::runtime_error("there is no comparison without all answers");
  if (predictions.size() < 2) {
    throw InputError({options.paths.front(), ""}, "one scenario is nothing to compare",
                     "name a second scenario, or a suite");
  }
  if (options.report) {
    write_report_file(*options.report, comparison_html(predictions, drawings_of(predictions)));
  }
  switch (options.format) {
    case Format::Text:
      return report(comparison_text(predictions));
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
  const auto options = std::make_shared<CompareOptions>();
  add_scenario_options(*command, *options);
  add_report_option(*command, options->report);
  CLI::Option* search = command->add_flag(
      "--search", options->search,
      "Compare the best layouts of the scenarios' clusters; lists in a cluster are searched one by "
      "one (--engine is then auto unless said)");
  add_time_limit(*command, options->of_search)->needs(search);
  for (CLI::Option* goal : add_goal_options(*command, options->read)) goal->needs(search);
  command->callback([command, options, &chosen] {
    if (options->search && command->count("--engine") == 0) options->engine = EngineChoice::Auto;
    chosen = [options] { return run_compare(*options); };
  });
}

}  // namespace stepcast
