#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "base/input_error.h"
#include "calibration/nccl_validation.h"
#include "cli/command.h"
#include "cli/predictions.h"
#include "cli/report_file.h"
#include "reports/html.h"
#include "reports/json.h"
#include "reports/nccl_validation.h"
#include "reports/validation.h"

namespace stepcast {
namespace {

struct Reading {
  std::string title;
  SuiteReading suite;
};

std::vector<Reading> read_all(const ScenarioOptions& options) {
  std::vector<Reading> readings;
  readings.reserve(options.paths.size());
  for (const std::string& path : options.paths) {
    for (const std::string& file : scenario_files(path)) {
      readings.push_back(
          {std::filesystem::path(file).stem().string(), read_suite(file, options.read)});
    }
  }
  return readings;
}

std::vector<Scenario> scenarios_of(const std::vector<Reading>& readings) {
  std::vector<Scenario> all;
  for (const Reading& reading : readings) {
    all.insert(all.end(), reading.suite.scenarios.begin(), reading.suite.scenarios.end());
  }
  return all;
}

void check_judges(const std::vector<Reading>& readings, const ScenarioOptions& options) {
  for (const Reading& reading : readings) {
    for (const Scenario& scenario : reading.suite.scenarios) {
      if (scenario.measured) return;
    }
  }
  for (const Reading& reading : readings) {
    if (reading.suite.faults.empty()) continue;
    throw InputError({options.paths.front(), "/runs"},
                     "no run could be read; the first: " + reading.suite.faults.front().message);
  }
  throw InputError({options.paths.front(), ""}, "no run has figures under \"measured\"",
                   "predict answers scenarios that were not measured");
}

// `outcomes`: of the reading's scenarios, in their order.
ValidationSuite judge(const Reading& reading, std::span<const PredictionOutcome> outcomes) {
  ValidationSuite suite{reading.title, {}, {}};
  for (const ScenarioFault& fault : reading.suite.faults) {
    suite.errors.push_back({fault.title, fault.message});
  }
  std::vector<const Scenario*> answered;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Scenario& scenario = reading.suite.scenarios[i];
    const PredictionOutcome& outcome = outcomes[i];
    if (outcome.report) {
      suite.runs.push_back(validation_run(scenario, *outcome.report));
      answered.push_back(&scenario);
    } else {
      suite.errors.push_back({scenario.title, outcome.error});
    }
  }
  mark_stalled(suite, answered);
  return suite;
}

std::vector<ValidationSuite> judge_all(const std::vector<Reading>& readings,
                                       std::span<const PredictionOutcome> outcomes) {
  std::vector<ValidationSuite> suites;
  for (const Reading& reading : readings) {
    const std::size_t count = reading.suite.scenarios.size();
    suites.push_back(judge(reading, outcomes.first(count)));
    outcomes = outcomes.subspan(count);
  }
  return suites;
}

std::string text_of(const std::vector<ValidationSuite>& suites, Format format) {
  switch (format) {
    case Format::Text:
      return validation_text(suites);
    case Format::Json:
      return json_text(validation_json(suites));
    case Format::Csv:
      return validation_csv(suites);
  }
  return {};
}

// A prediction that failed is a fault of the program, told beside the others' answers.
Answer run_validate(const ScenarioOptions& options) {
  check_report_file(options.report);
  const std::vector<Reading> readings = read_all(options);
  check_judges(readings, options);
  const std::vector<PredictionOutcome> outcomes =
      predict_with_progress(scenarios_of(readings), options);
  const bool all_answered = std::all_of(outcomes.begin(), outcomes.end(),
                                        [](const auto& outcome) { return outcome.report; });
  const std::vector<ValidationSuite> suites = judge_all(readings, outcomes);
  if (options.report) write_report_file(*options.report, validation_html(suites));
  return {text_of(suites, options.format), all_answered ? 0 : fault_exit,
          options.format == Format::Text};
}

std::string text_of(const NcclValidation& validation, Format format) {
  switch (format) {
    case Format::Text:
      return nccl_validation_text(validation);
    case Format::Json:
      return json_text(nccl_validation_json(validation));
    case Format::Csv:
      return nccl_validation_csv(validation);
  }
  return {};
}

Answer run(const ScenarioOptions& options, const std::vector<std::string>& nccl_logs) {
  if (options.paths.empty() == nccl_logs.empty()) {
    throw InputError({"validate", "PATH"},
                     nccl_logs.empty() ? "there is nothing to validate"
                                       : "scenarios and --nccl are validated one at a time",
                     "validate PATH... takes scenarios, validate --nccl PATH... logs");
  }
  if (nccl_logs.empty()) return run_validate(options);
  if (!options.read.settings.empty()) {
    throw InputError({"command line", "--set"}, "--set changes scenarios, and --nccl takes logs",
                     "clusters.json says what a log ran on");
  }
  check_report_file(options.report);
  const NcclValidation validation = validate_nccl(nccl_logs, options.read.profile_file);
  if (options.report) write_report_file(*options.report, nccl_validation_html(validation));
  return {text_of(validation, options.format), 0, options.format == Format::Text};
}

}  // namespace

void add_validate(CLI::App& program, Command& chosen) {
  CLI::App* command = program.add_subcommand(
      "validate", "Predictions beside measurements: the error of each run and the mean");
  const auto options = std::make_shared<ScenarioOptions>();
  options->engine = EngineChoice::Auto;
  add_scenario_options(*command, *options);
  add_report_option(*command, options->report);
  command->get_option("PATH")->required(false);
  const auto nccl_logs = std::make_shared<std::vector<std::string>>();
  command
      ->add_option("--nccl", *nccl_logs,
                   "Logs of nccl-tests, or folders of them with a clusters.json, instead")
      ->type_name("PATH...");
  command->callback([options, nccl_logs, &chosen] {
    chosen = [options, nccl_logs] { return run(*options, *nccl_logs); };
  });
}

}  // namespace stepcast
