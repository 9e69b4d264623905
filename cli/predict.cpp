#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/predictions.h"
#include "cli/report_file.h"
#include "reports/csv.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/text.h"

namespace stepcast {
namespace {

std::string texts(const std::vector<Prediction>& predictions) {
  std::string text;
  for (const Prediction& prediction : predictions) {
    if (!text.empty()) text += "\n" + std::string(100, '-') + "\n\n";
    text += text_report(prediction);
  }
  return text;
}

Answer run_predict(const ScenarioOptions& options) {
  check_report_file(options);
  const Predictions predictions = predict_paths(options);
  const int exit_code = predictions.complete ? 0 : fault_exit;
  if (options.report && !predictions.answers.empty()) {
    write_report_file(*options.report, prediction_html(predictions.answers));
  }
  switch (options.format) {
    case Format::Text:
      return {texts(predictions.answers), exit_code};
    case Format::Json:
      return {json_text(results_json(predictions.answers)), exit_code};
    case Format::Csv:
      return {results_csv(predictions.answers), exit_code};
  }
  return {};
}

}  // namespace

void add_predict(CLI::App& program, Command& chosen) {
  CLI::App* command =
      program.add_subcommand("predict", "What a training step takes: time, memory, cost, and why");
  const auto options = std::make_shared<ScenarioOptions>();
  add_scenario_options(*command, *options);
  add_report_option(*command, *options);
  command->callback([options, &chosen] { chosen = [options] { return run_predict(*options); }; });
}

}  // namespace stepcast
