#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/input_error.h"
#include "base/output_file.h"
#include "cli/command.h"
#include "cli/predictions.h"
#include "cli/report_file.h"
#include "reports/chrome_trace.h"
#include "reports/csv.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/memory_snapshot.h"
#include "reports/step_drawing.h"
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
  std::optional<std::string> trace;            ///< its file
  std::optional<std::string> memory_snapshot;  ///< its file
  bool advise = false;

  bool watches() const { return trace || memory_snapshot; }
};

// One prediction, with what is to be seen of its step in files.
Predictions predict_watched(const PredictCommand& command, const ScenarioOptions& options) {
  std::optional<OutputFile> trace;
  std::optional<OutputFile> snapshot;
  if (command.trace) trace.emplace(*command.trace, "the trace", "--trace");
  if (command.memory_snapshot) {
    snapshot.emplace(*command.memory_snapshot, "the memory snapshot", "--memory-snapshot");
  }
  const auto watch = [&](const Scenario& scenario, const SimulatedStep& step,
                         const StepReport& report) {
    if (trace) write_chrome_trace(trace->stream(), step);
    if (snapshot) write_memory_snapshot(snapshot->stream(), scenario, step, report);
  };
  Predictions predictions = predict_one(options, trace ? "--trace" : "--memory-snapshot", watch);
  if (trace) trace->publish();
  if (snapshot) snapshot->publish();
  return predictions;
}

// Searches with the analytic engine where it is proven to give the same.
void add_advice(std::vector<Prediction>& predictions, const ScenarioOptions& options) {
  const EngineChoice engine =
      options.engine == EngineChoice::Event ? EngineChoice::Auto : options.engine;
  const PredictMany predict_many = [&](std::span<const Scenario> scenarios) {
    return predict_all(scenarios, PredictOptions{.engine = engine}, options.jobs,
                       [](std::size_t) {});
  };
  for (Prediction& prediction : predictions) {
    prediction.advice = advise(prediction.scenario, prediction.report, predict_many);
  }
}

Answer run_predict(const PredictCommand& command) {
  ScenarioOptions options = command.options;
  const bool prints_links = options.links || options.format == Format::Json;
  check_report_file(options.report);
  if (prints_links && options.format == Format::Csv) {
    throw InputError({"--links", ""}, "links have no place in a row of CSV",
                     "--format text and --format json give them");
  }
  if (command.advise && options.format == Format::Csv) {
    throw InputError({"--advise", ""}, "advice has no place in a row of CSV",
                     "--format text and --format json give it");
  }
  options.links = prints_links || options.report;
  Predictions predictions =
      command.watches() ? predict_watched(command, options) : predict_paths(options);
  if (command.advise) add_advice(predictions.answers, options);
  const int exit_code = predictions.complete ? 0 : fault_exit;
  if (options.report && !predictions.answers.empty()) {
    write_report_file(*options.report,
                      prediction_html(predictions.answers, drawings_of(predictions.answers)));
  }
  for (Prediction& prediction : predictions.answers) {
    if (!prints_links) prediction.report.links.clear();
  }
  switch (options.format) {
    case Format::Text:
      return report(texts(predictions.answers), exit_code);
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
  add_report_option(*command, predict_command->options.report);
  command->add_flag("--links", predict_command->options.links,
                    "What every link carries, and for which part of the work; JSON always says it");
  command
      ->add_option("--trace", predict_command->trace,
                   "Write what ran when, for one scenario, as a trace for Chrome and Perfetto")
      ->type_name("FILE.json");
  command
      ->add_option("--memory-snapshot", predict_command->memory_snapshot,
                   "Write the allocations of a step, for one scenario, as PyTorch's memory "
                   "visualiser reads them")
      ->type_name("FILE.pickle");
  command->add_flag("--advise", predict_command->advise,
                    "Where it does not fit: the smallest changes that do, by cost per token");
  command->callback([predict_command, &chosen] {
    chosen = [predict_command] { return run_predict(*predict_command); };
  });
}

}  // namespace stepcast
