#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/output_file.h"
#include "cli/command.h"
#include "cli/predictions.h"
#include "cli/report_file.h"
#include "reports/chrome_trace.h"
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

struct PredictCommand {
  ScenarioOptions options;
  std::optional<std::string> trace;  ///< its file
};

Predictions predict_with_trace(const ScenarioOptions& options, const std::string& file) {
  OutputFile trace(file, "the trace", "--trace");
  Predictions predictions = predict_one(options, "--trace", [&](const SimulatedStep& step) {
    write_chrome_trace(trace.stream(), step);
  });
  trace.publish();
  return predictions;
}

Answer run_predict(const PredictCommand& command) {
  ScenarioOptions options = command.options;
  options.links |= options.format == Format::Json;
  check_report_file(options);
  const Predictions predictions =
      command.trace ? predict_with_trace(options, *command.trace) : predict_paths(options);
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
  const auto predict_command = std::make_shared<PredictCommand>();
  add_scenario_options(*command, predict_command->options);
  add_report_option(*command, predict_command->options);
  command->add_flag("--links", predict_command->options.links,
                    "What every link carries, and for which part of the work; JSON always says it");
  command
      ->add_option("--trace", predict_command->trace,
                   "Write what ran when, for one scenario, as a trace for Chrome and Perfetto")
      ->type_name("FILE.json");
  command->callback([predict_command, &chosen] {
    chosen = [predict_command] { return run_predict(*predict_command); };
  });
}

}  // namespace stepcast
